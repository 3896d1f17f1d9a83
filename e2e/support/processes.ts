import { readFileSync } from 'node:fs';
import { until } from './tower.ts';

/** Text of a file as far as it is written; empty before it is there. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Waits until a script has written its process id, with `echo $$ > path`; answers it. */
export async function untilPid(path: string): Promise<number> {
  await until(`a process id stands in ${path}`, () => /^\d+\n/.test(textOf(path)));
  return Number.parseInt(textOf(path), 10);
}

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
