/**
 * The work of an attempt that ends its process before its task has ended: saved so that another worker
 * can go on with it, with what was committed as commits and the rest as changes of the work tree.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { AppError } from '@baton/contract';
import { readGit, runGit } from '../git/git.ts';
import { headOf } from './keep.ts';
import { BATON_IDENTITY, identitySettings } from './merge.ts';
import { openRepoCache } from './repo-cache.ts';
import type { SavedFile } from './saved-file.ts';
import { snapshotTree } from './snapshot.ts';
import type { Workspace } from './workspace.ts';

const tarMs = 5 * 60_000;
/** More is not sent anywhere: it stays on the machine where it lies. */
const savedBytesMax = 256 * 1024 * 1024;

/**
 * Saves what lies in a workspace and leaves it as it is. Undefined when there is nothing that a new
 * workspace would not have, and for a directory of the user's own: nobody else could go on there.
 * To be called when the agent's processes have ended.
 * @throws {AppError} git_failed, workspace_failed, limit_exceeded
 */
export async function saveWork(
  workspace: Workspace,
  outDir: string,
): Promise<SavedFile | undefined> {
  mkdirSync(outDir, { recursive: true, mode: 0o700 });
  if (workspace.mode === 'in_place') return undefined;
  return workspace.mode === 'scratch' ? saveFiles(workspace, outDir) : saveTree(workspace, outDir);
}

async function saveTree(workspace: Workspace, outDir: string): Promise<SavedFile | undefined> {
  const { cacheDir: gitDir, base, refCommit, attemptId } = workspace;
  if (gitDir === null || base === null) return undefined;
  const head = await headOf(workspace);
  const tree = await snapshotTree({
    gitDir,
    path: workspace.path,
    base: head,
    copied: workspace.copied,
    excludesFile: join(workspace.gitDir ?? '', 'info', 'exclude'),
  });
  const isClean = tree === (await readGit(['rev-parse', `${head}^{tree}`], { gitDir }));
  if (isClean && head === base) return undefined;
  const message = `Work of ${attemptId}, not finished`;
  const commit = await readGit(['commit-tree', tree, '-p', head, '-m', message], {
    gitDir,
    set: identitySettings(BATON_IDENTITY),
  });
  const ref = refOf(attemptId);
  await runGit(['update-ref', ref, commit], { gitDir });
  const file = join(outDir, 'saved.bundle');
  await runGit(['bundle', 'create', '--quiet', file, `^${refCommit ?? base}`, ref], { gitDir });
  if (statSync(file).size > savedBytesMax) throw tooMuch();
  return { file, meta: { format: 'bundle', saved: true, base, head, commit } };
}

async function saveFiles(workspace: Workspace, outDir: string): Promise<SavedFile> {
  const file = join(outDir, 'saved.tar.gz');
  if ((await bytesIn(workspace.path)) > savedBytesMax) throw tooMuch();
  await tar(['-czf', file, '-C', workspace.path, '--exclude=./.baton', '.']);
  return { file, meta: { format: 'tar.gz', saved: true } };
}

/**
 * Puts saved work into a workspace that was just made, and answers it with the base that the work has.
 * @throws {AppError} workspace_failed, git_failed; the workspace is then to be made anew
 */
export async function restoreWork(
  dataDir: string,
  fresh: Workspace,
  saved: SavedFile & { readonly attemptId: string },
): Promise<Workspace> {
  const { meta, file, attemptId } = saved;
  const restored = { ...fresh, restoredFrom: attemptId };
  if (meta.format === 'tar.gz') {
    if (fresh.mode !== 'scratch') throw mismatch(fresh);
    await tar(['-xzf', file, '-C', fresh.path, '--no-same-owner']);
    return restored;
  }
  const { repo, gitDir, cacheDir, branch } = fresh;
  if (repo === null || gitDir === null || cacheDir === null || branch === null) {
    throw mismatch(fresh);
  }
  const cache = await openRepoCache(dataDir, repo);
  await cache.importBundle(file);
  await runGit(['update-ref', refOf(attemptId), meta.commit], { gitDir: cacheDir });
  const git = { cwd: fresh.path, gitDir, workTree: fresh.path, config: 'owner' as const };
  if (fresh.mode === 'clone') {
    const refspec = `+${refOf(attemptId)}:${refOf(attemptId)}`;
    const from = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', cacheDir];
    await runGit([...from, refspec], git);
  }
  await runGit(['merge-base', '--is-ancestor', meta.base, meta.head], { gitDir: cacheDir });
  await runGit(['read-tree', '--reset', '-u', meta.commit], git);
  await runGit(['update-ref', `refs/heads/${branch}`, meta.head], git);
  await runGit(['read-tree', meta.head], git);
  if (meta.head !== meta.base) endMerge(gitDir);
  const conflict = meta.head === meta.base ? fresh.conflict : null;
  return { ...restored, base: meta.base, conflict };
}

/** The agent has concluded the merge that its work began with. */
function endMerge(gitDir: string): void {
  for (const name of ['MERGE_HEAD', 'MERGE_MSG', 'MERGE_MODE']) {
    rmSync(join(gitDir, name), { force: true });
  }
}

/** Of all files, or of as many as make more than may be saved. */
async function bytesIn(path: string): Promise<number> {
  let bytes = 0;
  for await (const entry of await opendir(path, { recursive: true })) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size;
    if (bytes > savedBytesMax) break;
  }
  return bytes;
}

function tooMuch(): AppError {
  return new AppError(
    'limit_exceeded',
    `More than ${savedBytesMax} bytes are not saved elsewhere.`,
  );
}

async function tar(args: readonly string[]): Promise<void> {
  const result = await execa('tar', args, { reject: false, timeout: tarMs, stdin: 'ignore' });
  if (result.exitCode === 0) return;
  const said = result.stderr.trim().split('\n').slice(0, 5).join('\n');
  throw new AppError('workspace_failed', `The files could not be packed: ${said}`);
}

function mismatch(fresh: Workspace): AppError {
  return new AppError(
    'workspace_failed',
    `The saved work does not fit a workspace of mode ${fresh.mode}.`,
  );
}

function refOf(attemptId: string): string {
  return `refs/baton/saved/${attemptId}`;
}
