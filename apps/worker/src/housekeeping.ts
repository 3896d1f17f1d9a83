import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openAttemptFiles } from './attempts/files.ts';
import type { Log } from './log.ts';
import { listAttemptDirs } from './spool/attempt-dir.ts';
import { findJson } from './spool/durable-file.ts';
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

/** Somebody may be waited for: its work is gone on with in its directory. */
const yieldedKeptMs = 30 * keptMs;

/** Reported a day ago, or never more than an empty directory. */
function isOver(dir: string): boolean {
  const done = statSync(join(dir, 'done.json'), { throwIfNoEntry: false });
  if (done !== undefined) {
    const wasYielded = isYielded(dir);
    return Date.now() - done.mtimeMs >= (wasYielded ? yieldedKeptMs : keptMs);
  }
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

function isYielded(dir: string): boolean {
  if (existsSync(join(dir, 'held.json'))) return true;
  const stop = findJson(join(dir, 'stop.json'));
  return typeof stop === 'object' && stop !== null && 'kind' in stop && stop.kind === 'yield';
}
