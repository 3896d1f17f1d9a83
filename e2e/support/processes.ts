import { readFileSync } from 'node:fs';

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function isRunning(pid: number | string): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The parent of a process. */
export function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(/^\d+ \(.*\) . (\d+)/s.exec(stat)?.[1]);
}
