import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { bind, statement, toJson, toTimestamptz, type Db, type StoreError } from '@baton/store';
import { freshDatabases, type OpenDatabase } from './fresh-databases.ts';

const noRow = z.strictObject({});

const insertItem = statement({
  name: 'insertItem',
  args: (id: number, body: string) => [id, body],
  row: noRow,
  sql: `insert into items (id, body) values ($1, $2)`,
});
const getItem = statement({
  name: 'getItem',
  args: (id: number) => [id],
  row: z.strictObject({ id: z.int(), body: z.string() }),
  sql: `select id, body from items where id = $1`,
});
const countItems = statement({
  name: 'countItems',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `select count(*) as count from items`,
});
const divide = statement({
  name: 'divide',
  args: (by: number) => [by],
  row: z.strictObject({ result: z.int() }),
  sql: `select 1 / $1::int as result`,
});
const insertChecked = statement({
  name: 'insertChecked',
  args: (id: number) => [id],
  row: noRow,
  sql: `insert into checked_at_commit (id) values ($1)`,
});
const currentTransaction = statement({
  name: 'currentTransaction',
  args: () => [],
  row: z.strictObject({ xid: z.string() }),
  sql: `select pg_current_xact_id()::text as xid`,
});
const listWritten = statement({
  name: 'listWritten',
  args: () => [],
  row: z.strictObject({ id: z.int() }),
  sql: `select id from written order by id limit 1000000`,
});

const SCHEMA = `
  create table items (id int primary key, body text not null);
  create table checked_at_commit (id int unique deferrable initially deferred);
  create table written (id int primary key)`;

const failureOf = (promise: Promise<unknown>): Promise<StoreError> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as StoreError,
  );

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`driver on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open({ isMigrated: false });
      db = opened.db;
      await db.exclusive((admin) => admin.script(SCHEMA));
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) => admin.script('truncate items, checked_at_commit, written')),
    );
    const count = async (): Promise<number> => (await db.query(countItems))[0]?.count ?? -1;

    describe('values', () => {
      test('come out as numbers, milliseconds, parsed json, bytes and text', async () => {
        const asked = statement({
          name: 'oneOfEach',
          args: () => [],
          row: z.looseObject({}),
          sql: `
            select 9007199254740991::int8 as int8, 7::int4 as int4, 1.5::float8 as float8,
                   12345678901234567890.5::numeric as numeric, true as bool, 'a'::text as text,
                   '2026-11-20 05:06:07.123987+02'::timestamptz as at,
                   '1969-12-31 23:59:59.9999+00'::timestamptz as before_epoch,
                   '0099-01-01 00:00:00+00'::timestamptz as year_99,
                   'infinity'::timestamptz as never, null::timestamptz as nothing,
                   '{"a":[1,null]}'::jsonb as jsonb, 'null'::jsonb as json_null,
                   '\\x00ff'::bytea as bytes, '018f0000-0000-7000-8000-000000000000'::uuid as uuid,
                   array[1, null, 3]::int8[] as int8s, array['a,"b', null, '']::text[] as texts,
                   array['2026-11-20 00:00:00+00', null]::timestamptz[] as times,
                   array['{"a":"}"}', '1']::jsonb[] as jsons, array[true, false] as bools,
                   array[array[1, 2], array[3, 4]]::int4[] as nested, '{}'::text[] as empty,
                   array[1.5]::numeric[] as numerics`,
        });
        expect(await db.query(asked)).toEqual([
          {
            int8: 9007199254740991,
            int4: 7,
            float8: 1.5,
            numeric: '12345678901234567890.5',
            bool: true,
            text: 'a',
            at: Date.UTC(2026, 10, 20, 3, 6, 7, 123),
            before_epoch: -1,
            year_99: new Date('0099-01-01T00:00:00Z').getTime(),
            never: Infinity,
            nothing: null,
            jsonb: { a: [1, null] },
            json_null: null,
            bytes: Buffer.from([0, 255]),
            uuid: '018f0000-0000-7000-8000-000000000000',
            int8s: [1, null, 3],
            texts: ['a,"b', null, ''],
            times: [Date.UTC(2026, 10, 20), null],
            jsons: [{ a: '}' }, 1],
            bools: [true, false],
            nested: [
              [1, 2],
              [3, 4],
            ],
            empty: [],
            numerics: ['1.5'],
          },
        ]);
      });

      test('go in and come back as they were', async () => {
        const texts = [
          '',
          ' ',
          'NULL',
          'a,b',
          '{x}',
          '"q"',
          'back\\slash',
          'line\nend',
          'ü€😀',
          null,
        ];
        const echo = statement({
          name: 'echo',
          args: (atMs: number) => [
            texts,
            toTimestamptz(atMs),
            [toTimestamptz(atMs), toTimestamptz(null)],
            { a: { b: 'x"y' } },
            toJson([1, 'two', null]),
            [{ a: 1 }, 'text', null].map((value) => (value === null ? null : toJson(value))),
            new Uint8Array([1, 0, 255]),
            [new Uint8Array([7]), null],
            [1, 2 ** 40],
            [true, false],
            10n,
            null,
          ],
          row: z.looseObject({}),
          sql: `
            select $1::text[] as texts, $2::timestamptz as at, $3::timestamptz[] as times,
                   $4::jsonb as object, $5::jsonb as list, $6::jsonb[] as jsons, $7::bytea as bytes,
                   $8::bytea[] as byteses, $9::int8[] as numbers, $10::bool[] as bools,
                   $11::int8 as big, $12::text as nothing`,
        });
        const atMs = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
        expect(await db.query(echo, atMs)).toEqual([
          {
            texts,
            at: atMs,
            times: [atMs, null],
            object: { a: { b: 'x"y' } },
            list: [1, 'two', null],
            jsons: [{ a: 1 }, 'text', null],
            bytes: Buffer.from([1, 0, 255]),
            byteses: [Buffer.from([7]), null],
            numbers: [1, 2 ** 40],
            bools: [true, false],
            big: 10,
            nothing: null,
          },
        ]);
      });

      test('that cannot be sent are refused before anything is sent', async () => {
        const mistaken = bind(insertItem, 1, undefined as unknown as string);
        const failure = await failureOf(
          db.transaction((tx) => tx.commitWith([bind(insertItem, 2, 'x'), mistaken])),
        );
        expect(failure).toMatchObject({ kind: 'data', statement: 'insertItem' });
        expect(await count()).toBe(0);
      });

      test('that are no safe integers fail instead of becoming others', async () => {
        const big = statement({
          name: 'bigNumber',
          args: () => [],
          row: z.strictObject({ n: z.int() }),
          sql: `select 9007199254740993::int8 as n`,
        });
        expect(await failureOf(db.query(big))).toMatchObject({ kind: 'data' });
        expect(await count()).toBe(0);
      });

      test('are compared with the declared shape in tests', async () => {
        const wrong = statement({
          name: 'wrongShape',
          args: () => [],
          row: z.strictObject({ a: z.string() }),
          sql: `select 1 as a`,
        });
        await expect(db.query(wrong)).rejects.toThrow(/wrongShape/);
      });
    });

    test('a statement is described without being run', async () => {
      const shape = await db.exclusive((admin) =>
        admin.describe('insert into items (id, body) values ($1, $2) returning id, body'),
      );
      expect(shape).toEqual({
        parameters: [23, 25],
        columns: [
          { name: 'id', type: 23 },
          { name: 'body', type: 25 },
        ],
      });
      expect(await count()).toBe(0);
      const failure = await failureOf(db.exclusive((admin) => admin.describe('select nothing')));
      expect(failure).toMatchObject({ kind: 'data', sqlState: '42703' });
    });

    describe('a pipeline', () => {
      test('answers in the order of its statements', async () => {
        const rows = await db.transaction((tx) =>
          tx.pipeline([
            bind(insertItem, 1, 'one'),
            bind(getItem, 1),
            bind(countItems),
            bind(getItem, 2),
          ]),
        );
        expect(rows).toEqual([[], [{ id: 1, body: 'one' }], [{ count: 1 }], []]);
        expect(await count()).toBe(1);
      });

      test('fails with its first error and leaves nothing behind', async () => {
        const failure = await failureOf(
          db.transaction((tx) =>
            tx.pipeline([
              bind(insertItem, 1, 'one'),
              bind(divide, 0),
              bind(insertItem, 1, 'again'),
              bind(getItem, 1),
            ]),
          ),
        );
        expect(failure).toMatchObject({ kind: 'data', sqlState: '22012', statement: 'divide' });
        expect(await count()).toBe(0);
      });

      test('that failed refuses everything after it with the same error', async () => {
        let swallowed: unknown;
        const failure = await failureOf(
          db.transaction(async (tx) => {
            swallowed = await failureOf(tx.query(divide, 0));
            const second = await failureOf(tx.query(getItem, 1));
            expect(second).toBe(swallowed);
            await tx.commitWith([bind(insertItem, 1, 'one')]);
          }),
        );
        expect(failure).toBe(swallowed);
        expect(await count()).toBe(0);
      });

      test('that failed is not committed when its error is swallowed', async () => {
        const failure = await failureOf(
          db.transaction(async (tx) => {
            await tx.query(insertItem, 1, 'one');
            await failureOf(tx.query(divide, 0));
          }),
        );
        expect(failure).toMatchObject({ sqlState: '22012' });
        expect(await count()).toBe(0);
      });
    });

    describe('commitWith', () => {
      test('commits what was sent before and with it', async () => {
        const rows = await db.transaction(async (tx) => {
          await tx.query(insertItem, 1, 'one');
          return tx.commitWith([bind(insertItem, 2, 'two'), bind(countItems)]);
        });
        expect(rows).toEqual([[], [{ count: 2 }]]);
        expect(await count()).toBe(2);
      });

      test('fails and commits nothing when one of its statements fails', async () => {
        await db.query(insertItem, 1, 'one');
        const failure = await failureOf(
          db.transaction(async (tx) => {
            await tx.query(insertItem, 2, 'two');
            await tx.commitWith([
              bind(insertItem, 3, 'three'),
              bind(insertItem, 1, 'again'),
              bind(insertItem, 4, 'four'),
            ]);
          }),
        );
        expect(failure).toMatchObject({
          kind: 'data',
          sqlState: '23505',
          statement: 'insertItem',
          constraint: 'items_pkey',
        });
        expect(await count()).toBe(1);
      });

      test('fails when COMMIT itself is refused', async () => {
        const failure = await failureOf(
          db.transaction((tx) =>
            tx.commitWith([
              bind(insertItem, 1, 'one'),
              bind(insertChecked, 1),
              bind(insertChecked, 1),
            ]),
          ),
        );
        expect(failure).toMatchObject({ kind: 'data', sqlState: '23505' });
        expect(await count()).toBe(0);
      });

      test('tells that the outcome is unknown when it committed and the answer is unreadable', async () => {
        const unreadable = statement({
          name: 'unreadable',
          args: () => [],
          row: z.strictObject({ n: z.int() }),
          sql: `select 9007199254740993::int8 as n`,
        });
        const failure = await failureOf(
          db.transaction(async (tx) => {
            await tx.query(insertItem, 1, 'one');
            await tx.commitWith([bind(unreadable)]);
          }),
        );
        expect(failure.kind).toBe('unknown_outcome');
        expect(await db.outcomeOf(failure.xid ?? '')).toBe('committed');
        expect(await count()).toBe(1);
      });

      test('ends the transaction', async () => {
        await db.transaction(async (tx) => {
          await tx.commitWith([bind(insertItem, 1, 'one')]);
          await expect(tx.query(insertItem, 2, 'two')).rejects.toThrow(/has ended/);
        });
        expect(await count()).toBe(1);
      });

      test('of nothing is nothing', async () => {
        expect(await db.transaction((tx) => tx.commitWith([]))).toEqual([]);
      });
    });

    describe('a transaction', () => {
      test('is committed at its end', async () => {
        const result = await db.transaction(async (tx) => {
          await tx.query(insertItem, 1, 'one');
          return 'done';
        });
        expect([result, await count()]).toEqual(['done', 1]);
      });

      test('is rolled back when its work throws, and says why', async () => {
        const work = db.transaction(async (tx) => {
          await tx.query(insertItem, 1, 'one');
          throw new Error('changed my mind');
        });
        await expect(work).rejects.toThrow('changed my mind');
        expect(await count()).toBe(0);
      });

      test('is rolled back on request', async () => {
        await db.transaction(async (tx) => {
          await tx.query(insertItem, 1, 'one');
          await tx.rollback();
        });
        expect(await count()).toBe(0);
      });

      test('shows nothing to reads before it is committed, and holds none of them up for ever', async () => {
        let reads: Promise<number[]> | undefined;
        await db.transaction(async (tx) => {
          await tx.query(insertItem, 1, 'one');
          reads = Promise.all(Array.from({ length: 20 }, count));
          await tx.query(insertItem, 2, 'two');
          await tx.commitWith([bind(insertItem, 3, 'three')]);
        });
        const seen = new Set(await reads);
        seen.delete(0);
        seen.delete(3);
        expect([...seen]).toEqual([]);
      });

      test('never mixes with others', async () => {
        await db.query(insertItem, 1, '0');
        const lockItem = statement({
          name: 'lockItem',
          args: () => [],
          row: z.strictObject({ body: z.string() }),
          sql: `select body from items where id = 1 for update`,
        });
        const setItem = statement({
          name: 'setItem',
          args: (body: string) => [body],
          row: noRow,
          sql: `update items set body = $1 where id = 1`,
        });
        const increment = (): Promise<unknown> =>
          db.transaction(async (tx) => {
            const [row] = await tx.query(lockItem);
            await tx.commitWith([bind(setItem, String(Number(row?.body) + 1))]);
          });
        await Promise.all(Array.from({ length: 50 }, increment));
        expect(await db.query(getItem, 1)).toEqual([{ id: 1, body: '50' }]);
      });

      test('has an outcome that can be looked up', async () => {
        const ids: string[] = [];
        const noteId = async (end: 'commit' | 'rollback'): Promise<void> => {
          await db.transaction(async (tx) => {
            const [row] = await tx.query(currentTransaction);
            ids.push(row?.xid ?? '');
            if (end === 'rollback') await tx.rollback();
          });
        };
        await noteId('commit');
        await noteId('rollback');
        expect(await Promise.all(ids.map((xid) => db.outcomeOf(xid)))).toEqual([
          'committed',
          'aborted',
        ]);
      });
    });

    describe('a snapshot', () => {
      test('sees one state', async () => {
        await db.query(insertItem, 1, 'one');
        let write: Promise<unknown> | undefined;
        const seen = await db.readSnapshot(async (queries) => {
          const before = await queries.query(countItems);
          write = db.query(insertItem, 2, 'two');
          // On a server the write is done now; on the embedded database it waits for the snapshot.
          if (db.kind === 'postgres') await write;
          const after = await queries.pipeline([bind(countItems)]);
          return [before[0]?.count, after[0][0]?.count];
        });
        await write;
        expect([seen, await count()]).toEqual([[1, 1], 2]);
      });

      test('cannot write', async () => {
        const failure = await failureOf(
          db.readSnapshot((queries) => queries.query(insertItem, 1, 'one')),
        );
        expect(failure).toMatchObject({ sqlState: '25006' });
        expect(await count()).toBe(0);
      });
    });

    test('a statement whose table changed its shape is run again', async () => {
      const all = statement({
        name: 'allOfWritten',
        args: () => [],
        row: z.looseObject({}),
        sql: `select * from written`,
      });
      await db.query(all);
      await db.exclusive((admin) => admin.script('alter table written add column more text'));
      const answers = await Promise.allSettled(Array.from({ length: 10 }, () => db.query(all)));
      const kinds = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [(answer.reason as StoreError).kind] : [],
      );
      expect(new Set(kinds)).toEqual(kinds.length === 0 ? new Set() : new Set(['retryable']));
      await db.exclusive((admin) => admin.script('alter table written drop column more'));
      await expect.poll(() => db.query(all).catch(() => 'again')).toEqual([]);
    });

    test('rows that a killed process was told are committed are all there', async () => {
      const own = await database.open({ isMigrated: false });
      try {
        await own.db.exclusive((admin) =>
          admin.script('create table written (id int primary key)'),
        );
        await own.db.close();
        let acknowledged = 0;
        for (let round = 0; round < 3; round += 1) {
          acknowledged = await writeUntilKilled(own.location, acknowledged + 1);
          const again = await own.reopen();
          const ids = (await again.query(listWritten)).map(({ id }) => id);
          // One more may have been committed and not acknowledged.
          expect(ids.length - acknowledged).toBeOneOf([0, 1]);
          expect(ids).toEqual(ids.map((_, index) => index + 1));
          acknowledged = ids.length;
          await again.close();
        }
      } finally {
        await own.close();
      }
    }, 300_000);

    test('closing waits for what runs and refuses the rest', async () => {
      const own = await database.open({ isMigrated: false });
      await own.db.exclusive((admin) => admin.script(SCHEMA));
      let begun: () => void = () => {};
      const hasBegun = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const running = own.db.transaction(async (tx) => {
        await tx.query(insertItem, 1, 'one');
        begun();
        return tx.commitWith([bind(countItems)]);
      });
      await hasBegun;
      const closing = own.db.close();
      expect(await failureOf(own.db.query(countItems))).toMatchObject({ kind: 'unavailable' });
      expect(await running).toEqual([[{ count: 1 }]]);
      await closing;
      await own.close();
    });
  });
}

/** The last number that the writer printed before it was killed in the middle of its work. */
async function writeUntilKilled(location: string, first: number): Promise<number> {
  const program = fileURLToPath(new URL('row-writer/main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', program, location, String(first)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  const wanted = first + 100 + Math.floor(Math.random() * 200);
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last === wanted) child.kill('SIGKILL');
  }
  await exited;
  return last;
}
