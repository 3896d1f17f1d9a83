import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { bind, statement } from '../statement.ts';
import { PgliteStream } from './pglite-stream.ts';
import { PgliteThread } from './pglite-thread.ts';
import { SESSION_SETUP, Session } from './session.ts';
import { runTransaction, type TransactionMode } from './transaction.ts';

const one = statement({
  name: 'one',
  args: () => [],
  row: z.strictObject({ one: z.int() }),
  sql: `select 1 as one`,
});
const insertRow = statement({
  name: 'insertRow',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into rows (id) values ($1)`,
});
const countRows = statement({
  name: 'countRows',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `select count(*) as count from rows`,
});
const slowOne = statement({
  name: 'slowOne',
  args: () => [],
  row: z.strictObject({ one: z.int() }),
  sql: `select 1 as one from pg_sleep(0.3)`,
});

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`a transaction's time on ${database.title}`, () => {
    let opened: OpenDatabase;
    beforeAll(async () => {
      opened = await database.open({ isMigrated: false });
      await opened.db.exclusive((admin) => admin.script('create table rows (id int primary key)'));
      if (database.name === 'pglite') await opened.db.close();
    });
    afterAll(() => opened?.close());

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
    const mode: TransactionMode = {
      begin: 'begin',
      asksXid: true,
      openMsMax: 50,
      onTimeout: database.name === 'pglite' ? 'rollback' : 'drop',
    };
    const tooLong = expect.objectContaining({
      kind: 'retryable',
      message: 'a transaction was open for more than 50 ms',
    });

    test('ends a transaction whose work never comes back', async () => {
      const session = await openSession();
      const work = runTransaction(session, mode, async (tx) => {
        await tx.query(insertRow, 1);
        await new Promise(() => {});
      });
      await expect(work).rejects.toEqual(tooLong);
      const next = session.isUsable ? session : await openSession();
      expect(next.isIdle).toBe(true);
      expect(await next.run(bind(countRows))).toEqual([{ count: 0 }]);
      await next.end();
    });

    test('ends a transaction whose statement takes too long', async () => {
      const session = await openSession();
      const work = runTransaction(session, mode, async (tx) => {
        await tx.query(slowOne);
      });
      await expect(work).rejects.toEqual(tooLong);
      const next = session.isUsable ? session : await openSession();
      expect(await next.run(bind(one))).toEqual([{ one: 1 }]);
      await next.end();
    });

    test('refuses what a transaction that was ended still asks', async () => {
      const session = await openSession();
      let late: unknown;
      let isOver: () => void = () => {};
      const over = new Promise<void>((resolve) => {
        isOver = resolve;
      });
      let asked: Promise<unknown> | undefined;
      const work = runTransaction(session, mode, async (tx) => {
        asked = over.then(() => tx.query(insertRow, 1)).catch((error: unknown) => (late = error));
        await asked;
      });
      await expect(work).rejects.toEqual(tooLong);
      isOver();
      await asked;
      expect(late).toEqual(tooLong);
      await session.end();
    });

    test('leaves a COMMIT under way to decide', async () => {
      const session = await openSession();
      const work = runTransaction(session, mode, (tx) =>
        tx.commitWith([bind(slowOne), bind(insertRow, 7)]),
      );
      // The embedded database works it off; a server's connection is dropped, and its outcome looked up.
      if (database.name === 'pglite') expect(await work).toEqual([[{ one: 1 }], []]);
      else await expect(work).rejects.toMatchObject({ kind: 'unknown_outcome' });
      if (session.isUsable) await session.end();
    });
  });
}
