import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { Changes } from '@baton/contract';
import { listGit, readGit, runGit, type GitOptions } from '../git/git.ts';
import { headOf } from './keep.ts';
import { BATON_IDENTITY, identitySettings, type Identity } from './merge.ts';
import { removeStaleLocks } from './trees.ts';
import { snapshotTree, stageAll, writePatch } from './snapshot.ts';
import type { Workspace } from './workspace.ts';

/** How the work of an attempt is put on record. */
export interface CollectRequest {
  /** Directory for `result.patch` and `result.bundle`; usually the attempt's own. */
  readonly outDir: string;
  /** First line of the commit: `<task key>: <title>`. */
  readonly message: string;
  readonly identity?: Identity;
  /** Paths or globs that may change; absent: all. */
  readonly allowedPaths?: readonly string[];
}

/** The work of an attempt as git knows it. */
export interface CollectedWork {
  readonly base: string;
  /** Equals `base` when nothing changed. */
  readonly commit: string;
  readonly branch: string;
  readonly hasChanges: boolean;
  /** `git apply` takes it on top of `base`; null when nothing changed. */
  readonly patchFile: string | null;
  /** Holds everything that the repository itself does not have; null when there is no such thing. */
  readonly bundleFile: string | null;
  readonly changes: Changes;
  /** Changed files outside of the allowed paths. */
  readonly violations: readonly string[];
  /** Files that still carry conflict markers of a merge the attempt was asked to resolve. */
  readonly unresolved: readonly string[];
  /** Repositories an agent made inside the work tree: their content is not part of the commit. */
  readonly nestedRepos: readonly string[];
}

/**
 * Commits what the agent left, under its branch in the cache, and writes patch and bundle. To be called
 * when the agent's processes have ended. In a directory of the user's own nothing is committed: the
 * commit is made in the cache. Null for workspaces without git.
 * @throws {AppError} git_failed
 */
export async function collectResult(
  workspace: Workspace,
  request: CollectRequest,
): Promise<CollectedWork | null> {
  const { cacheDir, base, branch } = workspace;
  if (cacheDir === null || base === null || branch === null) return null;
  const unresolved = findMarkers(workspace);
  const commit =
    workspace.mode === 'worktree'
      ? await commitInTree(workspace, request)
      : await commitThroughCache(workspace, cacheDir, request);
  await runGit(['update-ref', `refs/heads/${branch}`, commit], { gitDir: cacheDir });

  mkdirSync(request.outDir, { recursive: true, mode: 0o700 });
  const isSame = (await readTree(cacheDir, base)) === (await readTree(cacheDir, commit));
  const patchFile = isSame ? null : join(request.outDir, 'result.patch');
  if (patchFile !== null) await writePatch(cacheDir, base, commit, patchFile);
  const [changes, nestedRepos] = await describeChanges(cacheDir, base, commit);
  return {
    base,
    commit,
    branch,
    hasChanges: !isSame,
    patchFile,
    bundleFile: await writeBundle(cacheDir, workspace, commit, request.outDir),
    changes,
    violations: await findViolations(cacheDir, base, commit, request.allowedPaths),
    unresolved,
    nestedRepos,
  };
}

/** Files named by an agent that do not exist in its workspace; names outside of it count as missing. */
export function missingFiles(workspacePath: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    const path = isAbsolute(name) ? relative(workspacePath, name) : name;
    if (path === '' || path.startsWith('..')) return true;
    return statSync(join(workspacePath, path), { throwIfNoEntry: false }) === undefined;
  });
}

/** A commit on what is checked out; concludes a merge that the agent was in. */
async function commitInTree(workspace: Workspace, request: CollectRequest): Promise<string> {
  const gitDir = workspace.gitDir ?? '';
  removeStaleLocks(gitDir);
  // Not by the tree's own `.git`: an agent may have replaced that.
  const git: GitOptions = {
    cwd: workspace.path,
    gitDir,
    workTree: workspace.path,
    config: 'owner',
  };
  await stageAll(git, 'HEAD', workspace.copied);
  const staged = await runGit(['diff', '--cached', '--quiet', 'HEAD'], { ...git, accept: [0, 1] });
  if (staged.exitCode === 1 || existsSync(join(gitDir, 'MERGE_HEAD'))) {
    await runGit(['commit', '--quiet', '--no-verify', '--allow-empty', '-m', request.message], {
      ...git,
      set: identitySettings(request.identity ?? BATON_IDENTITY),
    });
  }
  return readGit(['rev-parse', 'HEAD'], git);
}

/** A commit that the directory's own repository never sees. */
async function commitThroughCache(
  workspace: Workspace,
  cacheDir: string,
  request: CollectRequest,
): Promise<string> {
  const base = workspace.base ?? '';
  const head = await headOf(workspace);
  const isBehind = await isAncestor(cacheDir, head, base);
  // An in_place task that goes on from an upstream's uncommitted work has a base ahead of HEAD.
  const parent = isBehind ? base : head;
  const tree = await snapshotTree({
    gitDir: cacheDir,
    path: workspace.path,
    base: parent,
    copied: workspace.copied,
    excludesFile: join(workspace.gitDir ?? '', 'info', 'exclude'),
  });
  if (tree === (await readTree(cacheDir, parent))) return parent;
  return readGit(['commit-tree', tree, '-p', parent, '-m', request.message], {
    gitDir: cacheDir,
    set: identitySettings(request.identity ?? BATON_IDENTITY),
  });
}

/** What is above the run's starting commit, which every worker can fetch for itself. */
async function writeBundle(
  gitDir: string,
  workspace: Workspace,
  commit: string,
  outDir: string,
): Promise<string | null> {
  const from = workspace.refCommit ?? workspace.base ?? '';
  const count = await readGit(['rev-list', '--count', `${from}..${commit}`], { gitDir });
  if (count === '0') return null;
  const file = join(outDir, 'result.bundle');
  const ref = `refs/heads/${workspace.branch ?? ''}`;
  await runGit(['bundle', 'create', '--quiet', file, `^${from}`, ref], { gitDir });
  return file;
}

async function describeChanges(
  gitDir: string,
  base: string,
  commit: string,
): Promise<readonly [Changes, readonly string[]]> {
  const raw = await listGit(['diff-tree', '-r', '-z', '--raw', '--no-renames', base, commit], {
    gitDir,
  });
  const files: Record<'A' | 'M' | 'D', string[]> = { A: [], M: [], D: [] };
  const nested: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [, newMode = '', , , status = ''] = (raw[i] ?? '').split(' ');
    const path = raw[i + 1] ?? '';
    const kind = status.startsWith('A') ? 'A' : status.startsWith('D') ? 'D' : 'M';
    files[kind].push(path);
    if (newMode === '160000' && kind === 'A') nested.push(path);
  }
  let insertions = 0;
  let deletions = 0;
  const stat = ['diff-tree', '-r', '-z', '--numstat', '--no-renames', base, commit];
  for (const line of await listGit(stat, { gitDir })) {
    const [added, removed] = line.split('\t');
    // Binary files are counted as "-".
    insertions += Number.parseInt(added ?? '', 10) || 0;
    deletions += Number.parseInt(removed ?? '', 10) || 0;
  }
  const changes = {
    files_modified: files.M,
    files_created: files.A,
    files_deleted: files.D,
    insertions,
    deletions,
  };
  return [changes, nested];
}

async function findViolations(
  gitDir: string,
  base: string,
  commit: string,
  allowed: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (allowed === undefined) return [];
  const patterns = allowed
    .map((path) => path.replace(/^\.?\//, '').replace(/\/+$/, ''))
    // An empty pattern, "." or "/", allows everything.
    .map((path) => `:(exclude,top,glob)${path === '' || path === '.' ? '**' : path}`);
  const args = ['diff', '--name-only', '-z', '--no-renames', '--no-ext-diff', base, commit];
  return listGit([...args, '--', ':(top)', ...patterns], { gitDir });
}

function findMarkers(workspace: Workspace): readonly string[] {
  return (workspace.conflict?.files ?? []).filter((file) => {
    try {
      return /^(<{7} |>{7} )/m.test(readFileSync(join(workspace.path, file), 'utf8'));
    } catch {
      return false;
    }
  });
}

async function isAncestor(gitDir: string, ancestor: string, commit: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', ancestor, commit];
  return (await runGit(args, { gitDir, accept: [0, 1] })).exitCode === 0;
}

async function readTree(gitDir: string, commit: string): Promise<string> {
  return readGit(['rev-parse', `${commit}^{tree}`], { gitDir });
}
