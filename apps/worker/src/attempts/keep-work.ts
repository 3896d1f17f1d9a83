import { AppError, type Assignment } from '@baton/contract';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findJson, writeFileAtomic } from '../spool/durable-file.ts';
import { savedWork, type SavedFile } from '../workspaces/saved-file.ts';
import type { Workspace, WorkspaceRequest } from '../workspaces/workspace.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import type { AttemptFiles } from './files.ts';
import type { PendingUpload } from './report.ts';
import type { RunnerPorts } from './runner-ports.ts';

/**
 * The work of an attempt whose process ended before its task did, as a file to be uploaded: whoever goes
 * on may be on another machine. Undefined when there is nothing to keep. @throws as `saveWork`
 */
export async function keepWork(
  workspaces: Workspaces,
  it: Assignment,
  files: AttemptFiles,
  workspace: Workspace,
): Promise<PendingUpload | undefined> {
  const note = join(files.dir, 'saved.json');
  const known = findKept(note);
  const kept = known ?? (await workspaces.save(workspace, files.dir));
  if (kept === undefined) return undefined;
  if (known === undefined) writeFileAtomic(note, JSON.stringify(kept), { sync: false });
  const { file, meta } = kept;
  const isBundle = meta.format === 'bundle';
  const about = {
    name: `${it.task.key}.saved.${isBundle ? 'bundle' : 'tar.gz'}`,
    kind: isBundle ? 'bundle' : 'file',
    media_type: isBundle ? 'application/x-git-bundle' : 'application/gzip',
    meta,
  } as const;
  return { path: file, about };
}

/** Keeps the work of an attempt that is held: its machine may be gone when it is gone on with. */
export async function uploadWork(
  { workspaces, uploader }: RunnerPorts,
  it: Assignment,
  files: AttemptFiles,
  signal: AbortSignal,
): Promise<void> {
  const workspace = workspaces.find(it.attempt.id);
  if (workspace === undefined) return;
  const upload = await keepWork(workspaces, it, files, workspace);
  if (upload !== undefined) await uploader.add(it, upload, signal);
}

/** Saved before, by the turn that was held or by a daemon before this one. */
function findKept(note: string): SavedFile | undefined {
  const found = findJson(note) as { readonly file?: unknown; readonly meta?: unknown } | undefined;
  const meta = savedWork.safeParse(found?.meta);
  if (!meta.success || typeof found?.file !== 'string' || !existsSync(found.file)) return undefined;
  return { file: found.file, meta: meta.data };
}

/**
 * What the attempt before has left elsewhere, brought to this machine when its directory is not here.
 * @throws {AppError} control_plane_unreachable and the like: then it is worth trying again
 */
export async function fetchWork(
  ports: RunnerPorts,
  it: Assignment,
  files: AttemptFiles,
): Promise<Pick<WorkspaceRequest, 'saved'>> {
  const { saved } = it;
  if (saved === null || ports.workspaces.find(saved.attempt) !== undefined) return {};
  const meta = savedWork.safeParse(saved.meta);
  if (!meta.success) return {};
  const file = join(files.dir, 'continued');
  try {
    await ports.uploader.fetch(it, saved.artifact, file);
  } catch (error) {
    // Its worker was gone before it had sent it.
    if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
    ports.log.warn({ attempt: it.attempt.id, from: saved.attempt }, 'saved work never arrived');
    return {};
  }
  return { saved: { attemptId: saved.attempt, file, meta: meta.data } };
}
