import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { readGit, runGit } from '../git/git.ts';
import { changedFiles, snapshotTree, writePatch } from './snapshot.ts';
import { workspaceRoot, type Salvaged, type Workspace } from './workspace.ts';

/** Whether a workspace may go, and if not, what would be lost. */
export type RemovalVerdict =
  | { readonly removed: true }
  | { readonly removed: false; readonly reason: string; readonly files: readonly string[] };

/**
 * Removes a workspace, if it is proven that nothing is lost with it: no file differs from its HEAD, and
 * HEAD is its base or one of `saved` (commits that are stored elsewhere). Never an in_place directory.
 */
export async function removeWorkspace(
  dataDir: string,
  workspace: Workspace,
  saved: readonly string[],
): Promise<RemovalVerdict> {
  const root = workspaceRoot(dataDir, workspace.attemptId);
  const keep = (reason: string, files: readonly string[] = []): RemovalVerdict => {
    return { removed: false, reason, files };
  };
  if (workspace.mode === 'in_place') return keep('it is your own directory');
  if (!existsSync(workspace.path)) {
    rmSync(root, { recursive: true, force: true });
    return { removed: true };
  }
  if (workspace.mode !== 'scratch') {
    const lost = await findUnsaved(workspace, saved).catch((error: unknown) => {
      return keep(`it cannot be read: ${error instanceof Error ? error.message : 'unknown'}`);
    });
    if (lost !== undefined) return lost;
  }
  await dropTree(workspace);
  rmSync(root, { recursive: true, force: true });
  return { removed: true };
}

/**
 * Saves everything an abandoned directory holds beyond its base: commits under a branch of their own in
 * the cache, the rest as a patch in `dataDir/salvage`. Then the directory is removed.
 */
export async function salvageWorkspace(dataDir: string, left: Workspace): Promise<Salvaged | null> {
  const { cacheDir, attemptId } = left;
  const root = workspaceRoot(dataDir, attemptId);
  if (cacheDir === null || left.base === null || left.mode === 'in_place') {
    if (left.mode !== 'in_place') rmSync(root, { recursive: true, force: true });
    return null;
  }
  const head = await headOf(left);
  const tree = await snapshotTree({
    gitDir: cacheDir,
    path: left.path,
    base: head,
    copied: left.copied,
  });
  const files = await changedFiles(cacheDir, head, tree);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  let patchFile: string | null = null;
  if (files.length > 0) {
    mkdirSync(join(dataDir, 'salvage'), { recursive: true, mode: 0o700 });
    patchFile = join(dataDir, 'salvage', `${attemptId}-${stamp}.patch`);
    await writePatch(cacheDir, head, tree, patchFile);
  }
  let branch: string | null = null;
  if (head !== left.base) {
    branch = `baton/salvage/${attemptId}/${stamp}`;
    await runGit(['update-ref', `refs/heads/${branch}`, head], { gitDir: cacheDir });
  }
  await dropTree(left);
  rmSync(root, { recursive: true, force: true });
  return patchFile === null && branch === null ? null : { attemptId, patchFile, files, branch };
}

/** The commit a work tree is at; brought into the cache when the tree has a repository of its own. */
export async function headOf(workspace: Workspace): Promise<string> {
  const { cacheDir, gitDir } = workspace;
  if (cacheDir === null || gitDir === null) {
    throw new AppError('workspace_failed', `${workspace.path} has no commits.`);
  }
  const head = await readGit(['rev-parse', '--verify', 'HEAD^{commit}'], { gitDir });
  if (workspace.mode === 'worktree') return head;
  const refspec = `+HEAD:refs/baton/work/${workspace.attemptId}`;
  const from = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', gitDir, refspec];
  await runGit(from, { gitDir: cacheDir, config: 'owner' });
  return readGit(['rev-parse', `refs/baton/work/${workspace.attemptId}`], { gitDir: cacheDir });
}

/** Takes the tree away and its entry out of the cache; a lock left by a killed git is no obstacle. */
export async function dropTree(workspace: Workspace): Promise<void> {
  rmSync(workspace.path, { recursive: true, force: true });
  if (workspace.mode === 'worktree' && workspace.gitDir !== null) {
    rmSync(workspace.gitDir, { recursive: true, force: true });
  }
}

async function findUnsaved(
  workspace: Workspace,
  saved: readonly string[],
): Promise<RemovalVerdict | undefined> {
  const { cacheDir, base } = workspace;
  if (cacheDir === null || base === null)
    return { removed: false, reason: 'it has no base', files: [] };
  const head = await headOf(workspace);
  const { path, copied } = workspace;
  const tree = await snapshotTree({ gitDir: cacheDir, path, base: head, copied });
  const files = await changedFiles(cacheDir, head, tree);
  if (files.length > 0)
    return { removed: false, reason: 'it holds work that is not committed', files };
  if (head === base || saved.includes(head)) return undefined;
  const changed = await changedFiles(cacheDir, base, head);
  return { removed: false, reason: `commit ${head} is stored nowhere else`, files: changed };
}
