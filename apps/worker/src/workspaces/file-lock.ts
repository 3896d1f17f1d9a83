import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@baton/contract';
import { findBorn, isProcessAlive } from '../supervisor/process-tree.ts';

/** Who holds a lock file. */
interface LockOwner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  readonly born: string;
}

const REFRESH_MS = 2_000;
/** A lock not refreshed for this long belongs to a process that is gone or frozen. */
const STALE_MS = 30_000;
const chains = new Map<string, Promise<unknown>>();

/**
 * Runs `work` while no other caller, in this process or another, holds `path`. A lock whose process is
 * gone is taken over. Callers of one process are served in order.
 * @throws {AppError} workspace_busy after `waitMs`
 */
export async function withFileLock<Result>(
  path: string,
  work: () => Promise<Result>,
  waitMs = 10 * 60_000,
): Promise<Result> {
  const before = chains.get(path) ?? Promise.resolve();
  const turn = before.then(async () => {
    const release = await takeLock(path, waitMs);
    try {
      return await work();
    } finally {
      await release();
    }
  });
  const settled = turn.catch(() => undefined);
  chains.set(path, settled);
  void settled.then(() => {
    if (chains.get(path) === settled) chains.delete(path);
  });
  return turn;
}

async function takeLock(path: string, waitMs: number): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true });
  const owner: LockOwner = {
    token: randomUUID(),
    host: hostname(),
    pid: process.pid,
    born: findBorn(process.pid) ?? '',
  };
  const own = `${path}.${owner.token}`;
  await writeFile(own, JSON.stringify(owner));
  try {
    for (const untilMs = performance.now() + waitMs; ; await delay(25)) {
      if (await tryLink(own, path)) break;
      await breakStale(path);
      if (performance.now() > untilMs) throw busy(path);
    }
  } finally {
    await unlink(own);
  }
  const timer = setInterval(
    () => void utimes(path, new Date(), new Date()).catch(() => {}),
    REFRESH_MS,
  );
  timer.unref();
  return async () => {
    clearInterval(timer);
    // Whoever took us for dead owns it now: theirs stays.
    if ((await findOwner(path))?.token === owner.token) await unlink(path).catch(() => {});
  };
}

async function tryLink(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function breakStale(path: string): Promise<void> {
  const judged = await findOwner(path);
  if (judged === undefined || !(await isStale(path, judged))) return;
  const aside = `${path}.stale-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  // Another one may have broken and taken it since we looked: then it goes back.
  if ((await findOwner(aside))?.token !== judged.token) await tryLink(aside, path);
  await unlink(aside);
}

async function isStale(path: string, owner: LockOwner): Promise<boolean> {
  const isHere = owner.host === hostname();
  if (isHere && !isProcessAlive({ pid: owner.pid, born: owner.born })) return true;
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > STALE_MS;
}

async function findOwner(path: string): Promise<LockOwner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockOwner;
  } catch {
    return undefined;
  }
}

function busy(path: string): AppError {
  return new AppError('workspace_busy', `Another process has been holding ${path} for too long.`);
}
