import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { findJson } from '../spool/durable-file.ts';
import { findExit } from '../supervisor/records.ts';
import { runtimeDir } from '../supervisor/socket-path.ts';

/** Who works in a directory of the user's own. */
interface InPlaceOwner {
  readonly attemptId: string;
  readonly attemptDir: string;
}

const COLLECT_MS_MAX = 10 * 60_000;
const KEPT_MS_MAX = 24 * 60 * 60_000;

/**
 * Takes a directory for one attempt, across all workers of this user on this machine and across their
 * restarts: it is held until released, or until that attempt has been over for ten minutes.
 * @throws {AppError} workspace_busy naming the attempt that has it
 */
export function takeInPlace(path: string, owner: InPlaceOwner): void {
  const lock = lockPath(path);
  for (let tries = 0; tries < 3; tries += 1) {
    if (tryTake(lock, owner)) return;
    const holder = findJson(lock) as InPlaceOwner | undefined;
    if (holder?.attemptId === owner.attemptId) return;
    if (holder !== undefined && isHeld(holder)) {
      throw new AppError(
        'workspace_busy',
        `${path} is in use by attempt ${holder.attemptId}. Wait for it, or use mode worktree.`,
        { detail: { attempt: holder.attemptId } },
      );
    }
    rmSync(lock, { force: true });
  }
  throw new AppError('workspace_busy', `${path} is wanted by several attempts at once. Try again.`);
}

/**
 * Passes a directory on to the attempt that goes on with it. @throws {AppError} workspace_busy when
 * somebody else has taken it meanwhile
 */
export function passInPlace(path: string, from: string, to: InPlaceOwner): void {
  releaseInPlace(path, from);
  takeInPlace(path, to);
}

/** Gives a directory back; nothing happens when somebody else has it. */
export function releaseInPlace(path: string, attemptId: string): void {
  const lock = lockPath(path);
  const holder = findJson(lock) as InPlaceOwner | undefined;
  if (holder?.attemptId === attemptId) rmSync(lock, { force: true });
}

/** Between the agent's end and the release its work is collected; a worker that died there never releases. */
function isHeld(holder: InPlaceOwner): boolean {
  if (!existsSync(holder.attemptDir)) return false;
  // Its agent has no process now, and is gone on with in this directory.
  if (isKeptForLater(holder.attemptDir)) return true;
  // An attempt whose agent is asked to mend its result runs a second time.
  const mending = join(holder.attemptDir, 'turn-2');
  const exit = findExit(existsSync(mending) ? mending : holder.attemptDir);
  return exit === undefined || Date.now() - Date.parse(exit.at) < COLLECT_MS_MAX;
}

/** Kept over a question or a pause, for a day at most once nothing more is told of the attempt. */
function isKeptForLater(attemptDir: string): boolean {
  const done = statSync(join(attemptDir, 'done.json'), { throwIfNoEntry: false });
  if (done !== undefined && Date.now() - done.mtimeMs > KEPT_MS_MAX) return false;
  if (existsSync(join(attemptDir, 'held.json'))) return done === undefined;
  const stop = findJson(join(attemptDir, 'stop.json'));
  return typeof stop === 'object' && stop !== null && 'kind' in stop && stop.kind === 'yield';
}

function tryTake(lock: string, owner: InPlaceOwner): boolean {
  const own = `${lock}.${process.pid}-${owner.attemptId}`;
  writeFileSync(own, JSON.stringify(owner), { mode: 0o600 });
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function lockPath(path: string): string {
  const dir = join(runtimeDir(), 'in-place');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 20);
  return join(dir, `${name}.json`);
}
