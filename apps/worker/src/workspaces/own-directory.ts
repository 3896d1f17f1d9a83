import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { listGit, readGit } from '../git/git.ts';
import type { RepoSource } from '../git/repo-source.ts';
import { createAttemptDir } from '../spool/attempt-dir.ts';
import { releaseInPlace, takeInPlace } from './in-place-lock.ts';
import { locateSource } from './local-repo.ts';
import { openRepoCache, type RepoCache } from './repo-cache.ts';
import { snapshotTree } from './snapshot.ts';
import { freshBranch, importUpstreams } from './trees.ts';
import {
  branchOf,
  namesOf,
  WITHOUT_GIT,
  type Workspace,
  type WorkspaceRequest,
} from './workspace.ts';

/**
 * The user's own directory, as it is. Its references, its index and its HEAD are never written.
 * @throws {AppError} workspace_busy, workspace_failed, git_failed
 */
export async function takeOwnDirectory(
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
