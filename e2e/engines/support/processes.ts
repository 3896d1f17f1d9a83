import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetWorker } from '../../support/tower.ts';

/** Pid of the agent of an attempt, as its supervisor noted it; undefined before it runs. */
export function findAgentPid(worker: FleetWorker, attempt: string): number | undefined {
  try {
    const path = join(worker.dataDir, 'workers', worker.name, 'attempts', attempt, 'state.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Whether a process is there and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
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
