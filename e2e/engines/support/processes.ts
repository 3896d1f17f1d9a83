import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until, type FleetWorker } from '../../support/tower.ts';

/** Pid of the agent of an attempt, once its supervisor has noted it. */
export async function untilAgentPid(worker: FleetWorker, attempt: string): Promise<number> {
  let pid: number | undefined;
  await until(`the agent of attempt ${attempt} runs`, () => {
    pid = findAgentPid(worker, attempt);
    return pid !== undefined;
  });
  // Zero would be the group of the test itself.
  if (pid === undefined || pid <= 0) throw new Error('no pid');
  return pid;
}

function findAgentPid(worker: FleetWorker, attempt: string): number | undefined {
  try {
    const path = join(worker.dataDir, 'workers', worker.name, 'attempts', attempt, 'state.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Every living process that carries the mark of an attempt, its supervisor's own excluded. */
export function processesOf(attempt: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`BATON_ATTEMPT_ID=${attempt}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
