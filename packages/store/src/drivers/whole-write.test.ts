import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import type { Db } from '../db.ts';
import { bind, statement } from '../statement.ts';
import type { StoreError } from '../store-error.ts';
import { PgliteStream } from './pglite-stream.ts';
import { PgliteThread } from './pglite-thread.ts';
import { SESSION_SETUP, Session } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { createWholeWriter, type WriteWhole } from './whole-write.ts';

const insertRow = statement({
  name: 'insertRow',
  args: (id: number) => [id],
  row: z.strictObject({ id: z.int() }),
  sql: `insert into rows (id) values ($1) returning id`,
});
const insertOnce = statement({
  name: 'insertOnce',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into checked_at_commit (id) values ($1)`,
});
const listRows = statement({
  name: 'listRows',
  args: () => [],
  row: z.strictObject({ id: z.int() }),
  sql: `select id from rows order by place limit 100000`,
});
/** Fails unless there are so many rows. */
const expectCount = statement({
  name: 'expectCount',
  args: (count: number) => [count],
  row: z.strictObject({ one: z.int() }),
  sql: `select 1 / (count(*) = $1::bigint)::int as one from rows`,
});
const insertSlowly = statement({
  name: 'insertSlowly',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into rows (id) select $1::int from pg_sleep(0.3)`,
});

const SCHEMA = `
  create table rows (id int primary key, place serial);
  create table checked_at_commit (id int unique deferrable initially deferred)`;

const kindOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: StoreError) => error.kind,
  );

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`transactions in one write on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open({ isMigrated: false });
      db = opened.db;
      await db.exclusive((admin) => admin.script(SCHEMA));
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) => admin.script('truncate rows; truncate checked_at_commit')),
    );
    const idsOf = async (): Promise<number[]> => (await db.query(listRows)).map(({ id }) => id);

    test('are answered with the rows of each statement', async () => {
      const [first, counted, second] = await db.writeWhole([
        bind(insertRow, 1),
        bind(expectCount, 1),
        bind(insertRow, 2),
      ]);
      expect([first, counted, second]).toEqual([[{ id: 1 }], [{ one: 1 }], [{ id: 2 }]]);
      expect(await db.writeWhole([])).toEqual([]);
    });

    test('take effect in the order in which they were given', async () => {
      const ids = Array.from({ length: 100 }, (_, at) => 1_000 - at);
      await Promise.all(ids.map((id) => db.writeWhole([bind(insertRow, id)])));
      expect(await idsOf()).toEqual(ids);
    });

    test('fail alone: what is behind one that failed is decided by what it finds', async () => {
      const kinds = await Promise.all(
        [
          [bind(insertRow, 1)],
          [bind(insertRow, 2), bind(expectCount, 1), bind(insertRow, 3)],
          [bind(expectCount, 3), bind(insertRow, 4)],
          [bind(expectCount, 1), bind(insertRow, 5)],
          [bind(insertRow, 5)],
        ].map((bound) => kindOf(db.writeWhole(bound))),
      );
      expect(kinds).toEqual(['done', 'data', 'data', 'done', 'data']);
      expect(await idsOf()).toEqual([1, 5]);
    });

    test('fail alone also when it is COMMIT that is refused', async () => {
      await db.writeWhole([bind(insertOnce, 1)]);
      const kinds = await Promise.all(
        [
          [bind(insertRow, 1), bind(insertOnce, 1)],
          [bind(insertRow, 2), bind(insertOnce, 2)],
          [bind(insertRow, 3)],
        ].map((bound) => kindOf(db.writeWhole(bound))),
      );
      expect(kinds).toEqual(['data', 'done', 'done']);
      expect(await idsOf()).toEqual([2, 3]);
    });

    test('with a value that cannot be sent are refused before anything is sent', async () => {
      const refused = kindOf(db.writeWhole([bind(insertRow, 1), bind(insertRow, Number.NaN)]));
      expect(await refused).toBe('data');
      expect(await idsOf()).toEqual([]);
    });

    test('leave readers and transactions their turn however many come, and keep their order', async () => {
      let next = 0;
      let others = 0;
      const keepWriting = async (): Promise<void> => {
        while (others < 3 && next < 20_000) {
          next += 1;
          await db.writeWhole([bind(insertRow, next)]);
        }
      };
      const writing = Promise.all([keepWriting(), keepWriting(), keepWriting()]);
      for (let turn = 0; turn < 3; turn += 1) {
        await db.query(listRows);
        await db.transaction((tx) => tx.query(listRows));
        others += 1;
      }
      await writing;
      expect(next).toBeLessThan(20_000);
      expect(await idsOf()).toEqual(Array.from({ length: next }, (_, at) => at + 1));
    });
  });

  describe.skipIf(database.isSkipped)(`a connection of ${database.title}`, () => {
    let opened: OpenDatabase;
    let session: Session;
    beforeAll(async () => {
      opened = await database.open({ isMigrated: false });
      await opened.db.exclusive((admin) => admin.script(SCHEMA));
      if (database.name === 'pglite') await opened.db.close();
    });
    afterAll(() => opened?.close());
    /** Quiet for `openMsMax` at most. */
    const openWriter = async (openMsMax: number): Promise<WriteWhole> => {
      session = await openSession();
      const pool = new SessionPool({ size: 1, open: () => Promise.resolve(session) });
      const onTimeout = database.name === 'pglite' ? 'rollback' : 'drop';
      return createWholeWriter(pool, { begin: 'begin', openMsMax, onTimeout });
    };
    const openSession = async (): Promise<Session> => {
      const setup = { setup: SESSION_SETUP, checkRows: true };
      if (database.name === 'postgres') {
        return Session.open({ ...setup, client: { connectionString: opened.location } });
      }
      const thread = await PgliteThread.serve(`${opened.location}/postgres`, false);
      return Session.open({
        ...setup,
        client: { stream: () => new PgliteStream(thread.worker), user: 'postgres', ssl: false },
        end: () => thread.close(),
      });
    };

    test('that does not answer in time is left, and the embedded database waited for', async () => {
      const write = await openWriter(50);
      const kinds = await Promise.all([
        kindOf(write([bind(insertSlowly, 90)])),
        kindOf(write([bind(insertRow, 91)])),
      ]);
      const expected = database.name === 'pglite' ? 'done' : 'unknown_outcome';
      expect(kinds).toEqual([expected, expected]);
      if (session.isUsable) await session.end();
    });

    test('that is lost leaves nothing known of what was sent, and gets nothing more', async () => {
      const write = await openWriter(60_000);
      // There is a connection once the first is done.
      await write([bind(insertRow, 80)]);
      const sent = [kindOf(write([bind(insertSlowly, 81)])), kindOf(write([bind(insertRow, 82)]))];
      session.destroy();
      const notSent = kindOf(write([bind(insertRow, 83)]));
      expect(await Promise.all([...sent, notSent])).toEqual([
        'unknown_outcome',
        'unknown_outcome',
        'retryable',
      ]);
    });
  });
}
