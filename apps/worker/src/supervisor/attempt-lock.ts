import { closeSync, openSync, writeSync } from 'node:fs';
import { attemptPaths } from '../spool/attempt-dir.ts';
import { findBorn } from './process-tree.ts';

/** Takes an attempt directory for this process. False when somebody has taken it before. */
export function takeAttemptDir(dir: string): boolean {
  try {
    const fd = openSync(attemptPaths(dir).lock, 'wx', 0o600);
    writeSync(fd, JSON.stringify({ pid: process.pid, born: findBorn(process.pid) ?? '' }));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
