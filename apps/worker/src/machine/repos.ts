import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { AppError, type RepoCapability } from '@baton/contract';
import { runGit, withoutCredentials } from '../git/git.ts';
import { getLocalRepo } from '../workspaces/local-repo.ts';

const SCAN_DEPTH_MAX = 3;
const REPOS_MAX = 1_000;
const DIRS_MAX = 50_000;
/** Never looked into: caches and other people's code. */
const SKIPPED = new Set(['node_modules', 'vendor', 'target', 'dist', 'build', 'Library']);

/**
 * The repositories a worker offers: those declared (`name`, `name=path`, `name=url` or a path), then
 * those found under `scan` to a depth of 3. A name is used once; the first one keeps it.
 * @throws {AppError} bad_config when a declared path is no repository
 */
export async function detectRepos(options: {
  readonly declared: readonly string[];
  readonly scan: readonly string[];
}): Promise<readonly RepoCapability[]> {
  const found = new Map<string, RepoCapability>();
  const add = (repo: RepoCapability): void => {
    const isKnown = [...found.values()].some(
      (it) => it.path !== undefined && it.path === repo.path,
    );
    if (!isKnown && !found.has(repo.name)) found.set(repo.name, repo);
  };
  for (const text of options.declared) add(await readDeclared(text));
  for (const dir of options.scan) {
    for (const path of scanForRepos(resolve(dir))) {
      const repo = await describeRepo(basename(path).replace(/\.git$/, ''), path).catch(
        () => undefined,
      );
      if (repo !== undefined) add(repo);
    }
  }
  return [...found.values()];
}

async function readDeclared(text: string): Promise<RepoCapability> {
  const at = text.indexOf('=');
  const [name, place] = at < 0 ? [text, text] : [text.slice(0, at), text.slice(at + 1)];
  if (at < 0 && !/[./~]/.test(text)) return { name: text };
  if (/^[a-z+]+:\/\//i.test(place) && !place.startsWith('file://')) {
    return { name, url: withoutCredentials(place) };
  }
  try {
    const path = resolve(place.replace(/^file:\/\//, ''));
    return await describeRepo(at < 0 ? basename(path).replace(/\.git$/, '') : name, path);
  } catch (error) {
    throw new AppError(
      'bad_config',
      `--repo ${text}: ${error instanceof Error ? error.message : 'cannot be read'}`,
      { cause: error },
    );
  }
}

async function describeRepo(name: string, path: string): Promise<RepoCapability> {
  const { root } = await getLocalRepo(path);
  const git = {
    cwd: root,
    config: 'owner',
    accept: [0, 1, 2, 128],
    set: ['safe.bareRepository=all'],
  } as const;
  const url = (await runGit(['remote', 'get-url', 'origin'], git)).stdout.trim();
  const branch = await findDefaultBranch(git);
  return {
    name,
    path: root,
    ...(url === '' ? {} : { url: withoutCredentials(url) }),
    ...(branch === '' ? {} : { default_branch: branch }),
  };
}

/** The origin's default branch when it is known, else what is checked out. */
async function findDefaultBranch(git: Parameters<typeof runGit>[1]): Promise<string> {
  const remote = await runGit(
    ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD'],
    git,
  );
  if (remote.exitCode === 0) return remote.stdout.trim().replace(/^origin\//, '');
  return (await runGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], git)).stdout.trim();
}

function scanForRepos(top: string): readonly string[] {
  const found: string[] = [];
  let looked = 0;
  const visit = (dir: string, depth: number): void => {
    if (found.length >= REPOS_MAX || (looked += 1) > DIRS_MAX) return;
    if (isRepo(dir)) {
      found.push(dir);
      return;
    }
    if (depth >= SCAN_DEPTH_MAX) return;
    for (const name of listDirs(dir)) visit(join(dir, name), depth + 1);
  };
  visit(top, 0);
  return found;
}

/** A `.git` file marks a linked work tree or a submodule: its repository is found elsewhere. */
function isRepo(dir: string): boolean {
  if (statSync(join(dir, '.git'), { throwIfNoEntry: false })?.isDirectory() === true) return true;
  return dir.endsWith('.git') && existsSync(join(dir, 'HEAD')) && existsSync(join(dir, 'objects'));
}

function listDirs(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter(
        (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name),
      )
      .map((entry) => entry.name)
      .toSorted();
  } catch {
    return [];
  }
}
