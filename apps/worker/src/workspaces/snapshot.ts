import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listGit, readGit, runGit, type GitOptions } from '../git/git.ts';
import { DOT_BATON } from './dot-baton.ts';

/**
 * Stages everything as it is, but what Baton itself put there: that stays as it is in `base`. (Not by an
 * excluding pathspec: git takes the name of an ignored file in one for a mistake.)
 */
export async function stageAll(
  git: GitOptions,
  base: string,
  copied: readonly string[],
): Promise<void> {
  // `git add` would look for changes inside of a repository that an agent made in the work tree, by a
  // git that follows the configuration of that one: only the commit it is at is taken.
  const nested = await listRepositories(git);
  if (nested.length > 0) {
    const input = nested.map((path) => `${path}\0`).join('');
    await runGit(['update-index', '--remove', '-z', '--stdin'], { ...git, input });
  }
  const others = nested.map((path) => `:(exclude,top,literal)${path}`);
  await runGit(['add', '--all', '--', ':(top)', ...others], git);
  const own = [DOT_BATON, ...copied].map((path) => `:(top,literal)${path}`);
  await runGit(['reset', '--quiet', base, '--', ...own], git);
}

/** Paths of the index that stand for commits of other repositories. */
async function listRepositories(git: GitOptions): Promise<readonly string[]> {
  const entries = await listGit(['ls-files', '--stage', '-z', '--full-name', ':(top)'], git);
  return entries
    .filter((entry) => entry.startsWith('160000 '))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1));
}

/**
 * The tree object of a directory as it is now, new files included, ignored ones not. Writes objects into
 * `gitDir` and nothing else: neither the directory's own index nor its references change.
 */
export async function snapshotTree(it: {
  /** Repository that receives the objects; must hold `base`. */
  readonly gitDir: string;
  readonly path: string;
  readonly base: string;
  readonly copied: readonly string[];
  /** More ignore rules, e.g. the `info/exclude` of the directory's own repository. */
  readonly excludesFile?: string;
}): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-index-'));
  try {
    const options: GitOptions = {
      cwd: it.path,
      gitDir: it.gitDir,
      workTree: it.path,
      config: 'owner',
      env: { GIT_INDEX_FILE: join(dir, 'index') },
      set: ['core.bare=false', ...excludesSetting(it.excludesFile, dir)],
    };
    await runGit(['read-tree', it.base], options);
    await stageAll(options, it.base, it.copied);
    return await readGit(['write-tree'], options);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Files that differ between two commits or trees. */
export async function changedFiles(
  gitDir: string,
  from: string,
  to: string,
): Promise<readonly string[]> {
  return listGit(['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to], { gitDir });
}

/** Writes the difference of two commits or trees as a patch that `git apply` takes. */
export async function writePatch(
  gitDir: string,
  from: string,
  to: string,
  file: string,
): Promise<void> {
  await runGit(
    [
      'diff',
      '--binary',
      '--full-index',
      '--no-renames',
      '--no-ext-diff',
      '--no-textconv',
      '--no-color',
      '--src-prefix=a/',
      '--dst-prefix=b/',
      `--output=${file}`,
      from,
      to,
    ],
    { gitDir },
  );
}

function excludesSetting(file: string | undefined, dir: string): readonly string[] {
  if (file === undefined || !existsSync(file)) return [];
  const copy = join(dir, 'exclude');
  copyFileSync(file, copy);
  return [`core.excludesFile=${copy}`];
}
