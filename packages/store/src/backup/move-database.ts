import type { Db } from '../db.ts';
import type { BackupBlobs } from './backup-blobs.ts';
import type { BackupRecord } from './backup-record.ts';
import { dumpDatabase } from './dump-database.ts';
import { restoreDatabase, type RestoreReport } from './restore-database.ts';

/**
 * Copies everything from one database into another, empty one; the first is only read. Blobs are copied
 * where `to.blobs` is given, else they stay where they are. All of it or nothing, as with a restore.
 * @throws {AppError} `not_empty`
 */
export async function moveDatabase(
  from: { readonly db: Db; readonly blobs: Pick<BackupBlobs, 'find' | 'open'> },
  to: { readonly db: Db; readonly blobs?: Pick<BackupBlobs, 'put'> },
): Promise<RestoreReport> {
  const { records, sink, fail } = handOver();
  const none: Pick<BackupBlobs, 'find' | 'open'> = { ...from.blobs, find: async () => undefined };
  const dumped = dumpDatabase(from.db, to.blobs === undefined ? none : from.blobs, sink);
  dumped.catch(fail);
  const put = to.blobs ?? { put: () => Promise.reject(new Error('no blobs were asked for')) };
  try {
    const report = await restoreDatabase(to.db, put, records);
    await dumped;
    return report;
  } catch (error) {
    fail(error);
    await dumped.catch(() => undefined);
    throw error;
  }
}

/** A sink whose records are read at the other end, one at a time. */
function handOver() {
  let waiting: ((result: IteratorResult<BackupRecord>) => void) | undefined;
  let refuse: ((error: unknown) => void) | undefined;
  let taken: (() => void) | undefined;
  let offered: BackupRecord | undefined;
  let failure: { readonly error: unknown } | undefined;
  const sink = (record: BackupRecord): Promise<void> | void => {
    if (failure !== undefined) throw failure.error;
    if (waiting !== undefined) {
      const give = waiting;
      waiting = refuse = undefined;
      give({ value: record, done: false });
      return undefined;
    }
    offered = record;
    return new Promise((resolve) => {
      taken = resolve;
    });
  };
  const fail = (error: unknown): void => {
    failure ??= { error };
    taken?.();
    refuse?.(error);
    waiting = refuse = taken = undefined;
  };
  const next = (): Promise<IteratorResult<BackupRecord>> => {
    if (offered !== undefined) {
      const record = offered;
      offered = undefined;
      taken?.();
      taken = undefined;
      return Promise.resolve({ value: record, done: record === undefined });
    }
    if (failure !== undefined) return Promise.reject(failure.error);
    return new Promise((resolve, reject) => {
      waiting = resolve;
      refuse = reject;
    });
  };
  const records: AsyncIterable<BackupRecord> = { [Symbol.asyncIterator]: () => ({ next }) };
  return { records, sink, fail };
}
