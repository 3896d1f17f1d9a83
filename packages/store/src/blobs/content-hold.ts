import { z } from 'zod';
import type { Db } from '../db.ts';
import { statement } from '../statement.ts';

/**
 * Nothing is taken out of the blob store while somebody copies it: a backup holds all content, whoever
 * removes some asks first. Among the processes that share a server a lock of the server does that, within
 * a process (and on the embedded database, which has one) a count.
 */
const ADVISORY_LOCK = 4_664_004;

export const lockContentShared = statement({
  name: 'lockContentShared',
  args: () => [],
  row: z.strictObject({ locked: z.boolean() }),
  sql: `
    select pg_advisory_lock_shared(${ADVISORY_LOCK}) is not null as locked`,
});

export const hasContentLock = statement({
  name: 'hasContentLock',
  args: () => [],
  row: z.strictObject({ locked: z.boolean() }),
  sql: `
    select exists (select 1
                     from pg_locks
                    where locktype = 'advisory'
                      and pid = pg_backend_pid()
                      and classid = 0
                      and objid = ${ADVISORY_LOCK}
                      and granted) as locked`,
});

export const tryLockContent = statement({
  name: 'tryLockContent',
  args: () => [],
  row: z.strictObject({ locked: z.boolean() }),
  sql: `
    select pg_try_advisory_xact_lock(${ADVISORY_LOCK}) as locked`,
});

interface Gate {
  holds: number;
  removing: Promise<unknown>;
}

const gates = new WeakMap<Db, Gate>();

function gateOf(db: Db): Gate {
  const gate = gates.get(db) ?? { holds: 0, removing: Promise.resolve() };
  gates.set(db, gate);
  return gate;
}

/** Runs `work` while no content is removed. Rejects when that could not be kept up to its end. */
export async function holdContent<T>(db: Db, work: () => Promise<T>): Promise<T> {
  const gate = gateOf(db);
  gate.holds += 1;
  try {
    await gate.removing;
    if (db.kind === 'pglite') return await work();
    return await db.exclusive(async (admin) => {
      await admin.query(lockContentShared);
      const result = await work();
      const [still] = await admin.query(hasContentLock);
      if (still?.locked !== true) throw new Error('the lock on the content was lost');
      return result;
    });
  } finally {
    gate.holds -= 1;
  }
}

/** Runs `remove`, unless somebody holds the content: then undefined, and it is to be tried later. */
export async function unlessHeld<T>(db: Db, remove: () => Promise<T>): Promise<T | undefined> {
  const gate = gateOf(db);
  if (gate.holds > 0) return undefined;
  const removed = db.kind === 'pglite' ? remove() : lockedRemoval(db, remove);
  gate.removing = Promise.allSettled([gate.removing, removed]);
  return removed;
}

function lockedRemoval<T>(db: Db, remove: () => Promise<T>): Promise<T | undefined> {
  return db.transaction(async (tx) => {
    const [mine] = await tx.query(tryLockContent);
    return mine?.locked === true ? remove() : undefined;
  });
}
