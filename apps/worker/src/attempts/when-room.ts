import { AppError } from '@baton/contract';
import { statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { isFull } from '../supervisor/spool-writer.ts';

/** What keeps somebody's work from being lost when there is no room for it. */
export interface RoomPorts {
  readonly log: Log;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Where the room is needed. */
  readonly dir: string;
  readonly lookMs?: number;
  /** Free bytes of the disk under a directory. */
  readonly freeBytes?: (dir: string) => Promise<number>;
}

const lookMsDefault = 1_000;
/** A program that failed with less than this free failed for want of room. */
const tightBytes = 16 * 1024 * 1024;

/**
 * Does `work`, again and again while it fails because the disk is full: what an agent has done is not
 * given up for that. `work` must be harmless to repeat. Rejects with any other failure, and when
 * `signal` fires.
 */
export async function whenRoom<Result>(
  ports: RoomPorts,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const { log, signal, dir, lookMs = lookMsDefault } = ports;
  for (let isTold = false; ; isTold = true) {
    try {
      return await work();
    } catch (error) {
      if (!(await isForWantOfRoom(error, ports))) throw error;
      if (!isTold)
        log.error({ error, dir }, 'the disk is full: the end of an attempt waits for room');
      await sleep(lookMs, undefined, { signal });
    }
  }
}

async function isForWantOfRoom(error: unknown, ports: RoomPorts): Promise<boolean> {
  if (isFull(error)) return true;
  // Git says only in words that it found no room.
  if (!(error instanceof AppError) || error.code !== 'git_failed') return false;
  return (await (ports.freeBytes ?? freeBytesOf)(ports.dir)) < tightBytes;
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
