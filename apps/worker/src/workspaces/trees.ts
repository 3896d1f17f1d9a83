/** Work trees, branches and commits of a repository's cache, as git makes them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { readGit, runGit } from '../git/git.ts';
import { BATON_IDENTITY, identitySettings } from './merge.ts';
import type { RepoCache } from './repo-cache.ts';
import type { WorkspaceRequest } from './workspace.ts';

/** Brings the commits of upstream tasks into the cache. @throws {AppError} workspace_failed when one is nowhere */
export async function importUpstreams(cache: RepoCache, request: WorkspaceRequest): Promise<void> {
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
export async function freshBranch(gitDir: string, branch: string, start: string): Promise<string> {
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
export async function addWorktree(cache: RepoCache, path: string, branch: string): Promise<string> {
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
export async function addClone(cache: RepoCache, path: string, branch: string): Promise<string> {
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
