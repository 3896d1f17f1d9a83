import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openAttemptFiles } from './attempts/files.ts';
import type { Log } from './log.ts';
import { listAttemptDirs } from './spool/attempt-dir.ts';
import type { Workspaces } from './workspaces/workspaces.ts';

/** How long the files of a reported attempt stay, for a look at what happened. */
const keptMs = 24 * 60 * 60_000;

/**
 * Removes attempts that were reported a day ago, with their workspaces. A workspace whose work is not
 * proven to be kept elsewhere stays. Those that are `live` are never touched.
 */
export async function sweepKept(
  dataDir: string,
  workspaces: Workspaces,
  log: Log,
  isLive: (attempt: string) => boolean,
): Promise<void> {
  for (const { attemptId, dir } of listAttemptDirs(dataDir)) {
    if (isLive(attemptId) || !isOver(dir)) continue;
    try {
      await sweepOne(dataDir, workspaces, log, attemptId, dir);
    } catch (error) {
      log.warn({ error, attempt: attemptId }, 'an old attempt could not be swept');
    }
  }
}

/** Reported a day ago, or never more than an empty directory. */
function isOver(dir: string): boolean {
  const done = statSync(join(dir, 'done.json'), { throwIfNoEntry: false });
  if (done !== undefined) return Date.now() - done.mtimeMs >= keptMs;
  if (existsSync(join(dir, 'assignment.json'))) return false;
  const made = statSync(dir, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs >= keptMs;
}

async function sweepOne(
  dataDir: string,
  workspaces: Workspaces,
  log: Log,
  attemptId: string,
  dir: string,
): Promise<void> {
  const workspace = workspaces.find(attemptId);
  if (workspace !== undefined && workspace.mode !== 'in_place') {
    const report = openAttemptFiles(dataDir, attemptId).report()?.report;
    // What was collected lies on its branch in the repository's cache.
    const result =
      report === undefined || report.kind === 'release' ? undefined : report.body.result;
    const commit = result?.commit?.commit;
    const verdict = await workspaces.remove(workspace, commit === undefined ? [] : [commit]);
    if (!verdict.removed) {
      log.info({ attempt: attemptId, why: verdict.reason }, 'a workspace is kept');
      return;
    }
  }
  rmSync(dir, { recursive: true, force: true });
}
