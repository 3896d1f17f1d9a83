import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { runGit } from '../git/git.ts';
import { createAttemptDir } from '../spool/attempt-dir.ts';
import { writeDotBaton } from './dot-baton.ts';
import { passInPlace, releaseInPlace } from './in-place-lock.ts';
import { dropTree, salvageWorkspace } from './keep.ts';
import { locateSource } from './local-repo.ts';
import { mergeCommits, withoutAncestors } from './merge.ts';
import { takeOwnDirectory } from './own-directory.ts';
import { openRepoCache } from './repo-cache.ts';
import { restoreWork } from './saved-work.ts';
import { copyFiles, runSetup } from './setup.ts';
import { addClone, addWorktree, freshBranch, importUpstreams, removeStaleLocks } from './trees.ts';
import {
  branchOf,
  findWorkspace,
  namesOf,
  saveWorkspace,
  WITHOUT_GIT,
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
