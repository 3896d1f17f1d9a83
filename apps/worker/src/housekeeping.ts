import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openAttemptFiles } from './attempts/files.ts';
import type { Log } from './log.ts';
import { listAttemptDirs } from './spool/attempt-dir.ts';
import type { Workspaces } from './workspaces/workspaces.ts';

/** How long the files of a reported attempt stay, for a look at what happened. */
const keptMs = 24 * 60 * 60_000;

/**
 * Removes attempts that were reported a day ago, with their workspaces. A workspace whose work is not
 * proven to be kept elsewhere stays.
 */
export async function sweepKept(dataDir: string, workspaces: Workspaces, log: Log): Promise<void> {
  for (const { attemptId, dir } of listAttemptDirs(dataDir)) {
    const files = openAttemptFiles(dataDir, attemptId);
    const done = statSync(join(dir, 'done.json'), { throwIfNoEntry: false });
    if (done === undefined || Date.now() - done.mtimeMs < keptMs) continue;
    const workspace = workspaces.find(attemptId);
    const report = files.report();
    const commit = report?.kind === 'complete' ? report.body.result.commit?.commit : undefined;
    if (workspace !== undefined) {
      const verdict = await workspaces.remove(workspace, commit === undefined ? [] : [commit]);
      if (!verdict.removed) {
        log.info({ attempt: attemptId, why: verdict.reason }, 'a workspace is kept');
        continue;
      }
    }
    rmSync(dir, { recursive: true, force: true });
  }
}
