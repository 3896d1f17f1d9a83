import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { listGit, readGit, runGit } from '../git/git.ts';
import type { RepoSource } from '../git/repo-source.ts';
import { createAttemptDir } from '../spool/attempt-dir.ts';
import { writeDotBaton } from './dot-baton.ts';
import { passInPlace, releaseInPlace, takeInPlace } from './in-place-lock.ts';
import { dropTree, salvageWorkspace } from './keep.ts';
import { locateSource } from './local-repo.ts';
import { identitySettings, BATON_IDENTITY, mergeCommits, withoutAncestors } from './merge.ts';
import { openRepoCache, type RepoCache } from './repo-cache.ts';
import { restoreWork } from './saved-work.ts';
import { copyFiles, runSetup } from './setup.ts';
import { snapshotTree } from './snapshot.ts';
import {
  branchOf,
  findWorkspace,
  saveWorkspace,
  workspaceRoot,
  type Salvaged,
  type Workspace,
  type WorkspaceRequest,
} from './workspace.ts';

/**
 * Makes the directory of an attempt, ready for its agent. What an earlier try left in its place is saved
 * first and never in the way.
 * @throws {AppError} repo_not_found, ref_not_found, repo_empty, workspace_busy, workspace_failed, git_failed
 */
export async function prepareWorkspace(
  dataDir: string,
  request: WorkspaceRequest,
): Promise<Workspace> {
  const salvaged = await clearPlace(dataDir, request.attemptId);
  const continued = await continueWorkspace(dataDir, request);
  const workspace = continued ?? (await makeWorkspace(dataDir, request, salvaged));
  try {
    writeDotBaton(workspace.path, request.inputs ?? {}, request.wake);
    saveWorkspace(dataDir, workspace);
    if (request.setup !== undefined && continued === undefined) {
      await runSetup({
        script: request.setup,
        cwd: workspace.cwd,
        env: request.setupEnv ?? {},
        logFile: join(workspaceRoot(dataDir, request.attemptId), 'setup.log'),
        attemptId: request.attemptId,
        ...(request.setupTimeoutMs === undefined ? {} : { timeoutMs: request.setupTimeoutMs }),
      });
    }
    if (continued !== undefined || request.saved === undefined) return workspace;
    return await bringWork(dataDir, request, request.saved, workspace);
  } catch (error) {
    if (workspace.mode === 'in_place') releaseInPlace(workspace.path, workspace.attemptId);
    throw error;
  }
}

/** What cannot be brought is no reason not to begin: then the directory is made once more, without it. */
async function bringWork(
  dataDir: string,
  { saved: _saved, ...request }: WorkspaceRequest,
  saved: NonNullable<WorkspaceRequest['saved']>,
  fresh: Workspace,
): Promise<Workspace> {
  if (fresh.mode === 'in_place') return fresh;
  try {
    const restored = await restoreWork(dataDir, fresh, saved);
    saveWorkspace(dataDir, restored);
    return restored;
  } catch (error) {
    await dropTree(fresh);
    rmSync(workspaceRoot(dataDir, fresh.attemptId), { recursive: true, force: true });
    const notRestored = error instanceof Error ? error.message : String(error);
    const workspace = { ...(await prepareWorkspace(dataDir, request)), notRestored };
    saveWorkspace(dataDir, workspace);
    return workspace;
  }
}

/** A directory under this attempt's name is from a try that crashed. */
async function clearPlace(dataDir: string, attemptId: string): Promise<Salvaged | null> {
  const left = findWorkspace(dataDir, attemptId);
  if (left !== undefined) return salvageWorkspace(dataDir, left);
  // Prepared in part only: no agent has ever been in it.
  rmSync(workspaceRoot(dataDir, attemptId), { recursive: true, force: true });
  return null;
}

/** The workspace of an earlier attempt, under a new branch where it has one, with all that lies in it. */
async function continueWorkspace(
  dataDir: string,
  request: WorkspaceRequest,
): Promise<Workspace | undefined> {
  if (request.continueFrom === undefined) return undefined;
  const before = findWorkspace(dataDir, request.continueFrom);
  if (before === undefined) return undefined;
  if (before.mode === 'in_place') {
    const { attemptId } = request;
    passInPlace(before.path, before.attemptId, {
      attemptId,
      attemptDir: createAttemptDir(dataDir, attemptId),
    });
  }
  const branch = before.branch === null ? null : branchOf(request);
  if (before.gitDir !== null && branch !== null && before.mode !== 'in_place') {
    const git = { cwd: before.path, gitDir: before.gitDir, workTree: before.path };
    removeStaleLocks(before.gitDir);
    await runGit(
      ['symbolic-ref', 'HEAD', `refs/heads/${await freshBranch(before.gitDir, branch, 'HEAD')}`],
      git,
    );
  } else if (before.cacheDir !== null && branch !== null && before.base !== null) {
    await freshBranch(before.cacheDir, branch, before.base);
  }
  // From here on it belongs to the new attempt alone: nobody cleans it up in the old one's name.
  rmSync(join(workspaceRoot(dataDir, before.attemptId), 'workspace.json'), { force: true });
  return {
    ...before,
    ...namesOf(request),
    branch,
    salvaged: null,
    continuedFrom: request.continueFrom,
  };
}

async function makeWorkspace(
  dataDir: string,
  request: WorkspaceRequest,
  salvaged: Salvaged | null,
): Promise<Workspace> {
  const mode = request.mode ?? (request.repo === undefined ? 'scratch' : 'worktree');
  if (mode === 'scratch') return makeScratch(dataDir, request, salvaged);
  if (request.repo === undefined) {
    throw new AppError('workspace_failed', `A workspace of mode ${mode} needs a repository.`);
  }
  if (mode === 'in_place') return takeOwnDirectory(dataDir, request, request.repo);

  const { source, local } = await locateSource(request.repo);
  const cache = await openRepoCache(dataDir, source);
  const refCommit = await cache.resolveRef(request.refCommit ?? request.ref);
  await importUpstreams(cache, request);
  const heads = await withoutAncestors(cache.gitDir, request.upstreams ?? []);
  const start = heads[0]?.commit ?? refCommit;
  const branch = await freshBranch(cache.gitDir, branchOf(request), start);
  const path = join(workspaceRoot(dataDir, request.attemptId), source.name);
  mkdirSync(workspaceRoot(dataDir, request.attemptId), { recursive: true, mode: 0o700 });
  const gitDir =
    mode === 'worktree'
      ? await addWorktree(cache, path, branch)
      : await addClone(cache, path, branch);
  const outcome = await mergeCommits({ path, gitDir }, heads.slice(1), {
    onConflict: 'leave',
    into: request.taskKey,
    ...(heads[0] === undefined ? {} : { startKey: heads[0].key }),
  });
  const copies =
    local === undefined || local.isBare
      ? { copied: [], notCopied: request.copy ?? [] }
      : copyFiles(local.root, path, request.copy ?? []);
  const cwd = local === undefined ? path : join(path, local.subdir);
  return {
    ...namesOf(request),
    mode,
    path,
    cwd: existsSync(cwd) ? cwd : path,
    repo: source,
    cacheDir: cache.gitDir,
    gitDir,
    branch,
    base: outcome.commit,
    refCommit,
    ...copies,
    conflict: outcome.conflict,
    salvaged,
  };
}

function makeScratch(
  dataDir: string,
  request: WorkspaceRequest,
  salvaged: Salvaged | null,
): Workspace {
  const path = join(workspaceRoot(dataDir, request.attemptId), 'scratch');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return { ...namesOf(request), ...WITHOUT_GIT, mode: 'scratch', path, cwd: path, salvaged };
}

const WITHOUT_GIT = {
  repo: null,
  cacheDir: null,
  gitDir: null,
  branch: null,
  base: null,
  refCommit: null,
  copied: [],
  notCopied: [],
  conflict: null,
} as const;

/** The user's own directory, as it is. Its references, its index and its HEAD are never written. */
async function takeOwnDirectory(
  dataDir: string,
  request: WorkspaceRequest,
  repo: RepoSource,
): Promise<Workspace> {
  if (repo.kind !== 'local') {
    throw new AppError('workspace_failed', 'Mode in_place needs a local path, not an address.');
  }
  const { source, local } = await locateSource(repo);
  if (local === undefined || local.isBare) {
    throw new AppError(
      'workspace_failed',
      `${source.address} is bare: it has no files to work in.`,
    );
  }
  const { attemptId } = request;
  takeInPlace(local.root, { attemptId, attemptDir: createAttemptDir(dataDir, attemptId) });
  try {
    const cache = await openRepoCache(dataDir, source);
    const head = await cache.resolveRef(request.refCommit === undefined ? request.ref : undefined);
    const current = await readGit(['rev-parse', 'HEAD'], { cwd: local.root, config: 'owner' });
    if (request.ref !== undefined && head !== current) {
      throw new AppError(
        'workspace_failed',
        `${local.root} is not at ${request.ref}. Check that out there, or use mode worktree.`,
      );
    }
    await importUpstreams(cache, request);
    const base = await baseOfOwnDirectory(cache, local.root, current, request);
    const gitDir = await readGit(['rev-parse', '--absolute-git-dir'], {
      cwd: local.root,
      config: 'owner',
    });
    return {
      ...namesOf(request),
      ...WITHOUT_GIT,
      mode: 'in_place',
      path: local.root,
      cwd: join(local.root, local.subdir),
      repo: source,
      cacheDir: cache.gitDir,
      gitDir,
      branch: await freshBranch(cache.gitDir, branchOf(request), base),
      base,
      refCommit: current,
      salvaged: null,
    };
  } catch (error) {
    releaseInPlace(local.root, attemptId);
    throw error;
  }
}

/** HEAD when nothing is changed; an upstream's commit when its work is exactly what lies there. */
async function baseOfOwnDirectory(
  cache: RepoCache,
  root: string,
  head: string,
  request: WorkspaceRequest,
): Promise<string> {
  const dirty = await listGit(
    ['status', '--porcelain', '-z', '--untracked-files=all', '--ignore-submodules=dirty'],
    {
      cwd: root,
      config: 'owner',
    },
  );
  if (dirty.length === 0) return head;
  const tree = await snapshotTree({
    gitDir: cache.gitDir,
    path: root,
    base: head,
    copied: [],
    excludesFile: join(root, '.git', 'info', 'exclude'),
  });
  for (const upstream of (request.upstreams ?? []).toReversed()) {
    const theirs = await readGit(['rev-parse', `${upstream.commit}^{tree}`], {
      gitDir: cache.gitDir,
    });
    if (theirs === tree) return upstream.commit;
  }
  const files = dirty.map((line) => line.slice(3)).slice(0, 20);
  throw new AppError(
    'workspace_failed',
    `${root} has changes of its own (${files.slice(0, 3).join(', ')}${files.length > 3 ? ', ...' : ''}). ` +
      'Commit or stash them, or use mode worktree.',
    { detail: { files } },
  );
}

async function importUpstreams(cache: RepoCache, request: WorkspaceRequest): Promise<void> {
  for (const upstream of request.upstreams ?? []) {
    if (await cache.hasCommit(upstream.commit)) continue;
    if (typeof upstream.bundleFile === 'string') await cache.importBundle(upstream.bundleFile);
    if (await cache.hasCommit(upstream.commit)) continue;
    await cache.fetch();
    if (await cache.hasCommit(upstream.commit)) continue;
    throw new AppError(
      'workspace_failed',
      `Commit ${upstream.commit} of ${upstream.key} is not here, and no bundle holds it.`,
      { detail: { task: upstream.key, commit: upstream.commit } },
    );
  }
}

/** Makes the branch at `start`. One of that name is from a crashed try: it is moved aside, never reset. */
async function freshBranch(gitDir: string, branch: string, start: string): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const answer = await runGit(['rev-parse', '--quiet', '--verify', ref], {
    gitDir,
    accept: [0, 1],
  });
  const old = answer.stdout.trim();
  if (old !== '') {
    const aside = `refs/heads/baton/salvage/${branch.replace(/^baton\//, '')}/${old.slice(0, 12)}`;
    await runGit(['update-ref', aside, old], { gitDir });
  }
  await runGit(['update-ref', ref, start], { gitDir });
  return branch;
}

/** Alone: while git makes a worktree its HEAD names no commit, and every fetch at that moment fails. */
async function addWorktree(cache: RepoCache, path: string, branch: string): Promise<string> {
  await cache.exclusively(() =>
    runGit(['worktree', 'add', '--quiet', '--no-checkout', '--force', path, branch], {
      gitDir: cache.gitDir,
    }),
  );
  const gitDir = await readGit(['rev-parse', '--absolute-git-dir'], { cwd: path });
  await checkoutHead(path, gitDir);
  return gitDir;
}

/** A repository of its own, for agents that may not see the cache. It shares no file with the cache. */
async function addClone(cache: RepoCache, path: string, branch: string): Promise<string> {
  await runGit(
    [
      'clone',
      '--quiet',
      '--no-checkout',
      '--no-tags',
      '--no-hardlinks',
      '--single-branch',
      '--template=',
      '--branch',
      branch,
      '--',
      cache.gitDir,
      path,
    ],
    { cwd: '/', config: 'owner' },
  );
  const gitDir = join(path, '.git');
  await runGit(
    [
      'config',
      'remote.origin.url',
      await readGit(['config', 'remote.origin.url'], { gitDir: cache.gitDir }),
    ],
    { gitDir },
  );
  await checkoutHead(path, gitDir);
  return gitDir;
}

/** Fills the tree with several checkout workers: half the time for thousands of files. */
async function checkoutHead(path: string, gitDir: string): Promise<void> {
  await runGit(['reset', '--hard', '--quiet'], {
    cwd: path,
    gitDir,
    workTree: path,
    config: 'owner',
    set: ['checkout.workers=0', ...identitySettings(BATON_IDENTITY)],
  });
}

/** Locks of a git that was killed: the tree that held them is gone. */
export function removeStaleLocks(gitDir: string): void {
  for (const name of ['index.lock', 'HEAD.lock']) rmSync(join(gitDir, name), { force: true });
}

function namesOf(request: WorkspaceRequest): Pick<Workspace, 'attemptId' | 'runId' | 'taskKey'> {
  return { attemptId: request.attemptId, runId: request.runId, taskKey: request.taskKey };
}
