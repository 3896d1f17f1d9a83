import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TableName, Tables } from '@baton/kernel';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import type { Db } from '../db.ts';
import { TABLES } from '../tables.ts';
import type { Column } from '../tables/column.ts';
import type { Table } from '../tables/table.ts';
import { loadRows } from './load.ts';
import { writeStatements, type RowChange } from './write.ts';

type AnyRow = Record<string, unknown>;

/** Beyond what any column may hold only by its meaning; see `MEANINGS`. */
const TEXT = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', 'NULL', '{a,b}', '"', '\\', "it's", 'line\nend', '😀', '{"a":1}', ' '),
);
const DOCUMENT = fc.jsonValue({ depthSize: 'small' }).map((it) => JSON.parse(JSON.stringify(it)));
const TYPES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  text: TEXT,
  integer: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  smallint: fc.integer({ min: 0, max: 3 }),
  bigint: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  float8: fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => (it === 0 ? 0 : it)),
  boolean: fc.boolean(),
  timestamptz: fc.integer({ min: 0, max: 4_000_000_000_000 }),
};

function arbitraryOf(column: Column): fc.Arbitrary<unknown> {
  const isDocument = column.type !== column.arrayOf;
  const value = isDocument ? DOCUMENT : (TYPES[column.arrayOf] ?? fc.constant(undefined));
  return column.isNullable
    ? fc.option(isDocument ? value.filter((it) => it !== null) : value)
    : value;
}

/** Fields whose values the database checks, made to fit. `n` makes them differ from row to row. */
const MEANINGS: { readonly [T in TableName]: (row: AnyRow, n: number) => AnyRow } = {
  runs: (row, n) => {
    const isOver = n % 2 === 0;
    return {
      status: isOver ? 'failed' : 'running',
      endedAtMs: isOver ? 1_000 : null,
      planning: 'idle',
      deliver: 'branch',
      taskCount: 9,
      openTasks: 5,
      outOfPlay: 2,
      activeTasks: 3,
      openAwaits: 1,
    };
  },
  tasks: (row, n) => {
    const isOver = n % 2 === 0;
    return {
      kind: 'agent',
      status: isOver ? 'completed' : 'blocked',
      endedAtMs: isOver ? 1_000 : null,
      outOfPlay: isOver ? false : row['outOfPlay'],
      pausedFrom: null,
    };
  },
  taskSpecs: (row, n) => ({ depth: n, failuresInRow: n, wakes: n }),
  limits: (row) => ({ ratePerMinute: 1.5, maxRunning: row['maxRunning'] }),
  limitSlots: (row, n) => ({ attemptId: `att_${n}` }),
  parkings: () => ({}),
  budgets: () => ({ scope: 'run' }),
  dependencies: (row, n) => ({ type: 'blocks', rule: 'done', upstreamId: `up_${n}` }),
  attempts: (row, n) => {
    const isOver = n % 2 === 0;
    return {
      taskId: `task_${n}`,
      status: isOver ? 'lost' : 'parked',
      parkMode: isOver ? null : 'held',
      endedAtMs: isOver ? 1_000 : null,
    };
  },
  checkpoints: (row, n) => {
    const isOpen = n % 2 === 0;
    return {
      clientId: null,
      kind: 'permission',
      onTimeout: 'fail',
      answerBy: 'any',
      resume: 'live',
      status: isOpen ? 'open' : 'timed_out',
      closedAtMs: isOpen ? null : 1_000,
    };
  },
  outputs: () => ({}),
  planParts: (row, n) => ({ part: n }),
  artifacts: () => ({}),
  notes: () => ({}),
  awaits: (row, n) => {
    const isOpen = n % 2 === 0;
    return {
      taskId: `task_${n}`,
      generation: 1,
      needed: 2,
      policy: 'all',
      quorum: null,
      status: isOpen ? 'open' : 'expired',
      settled: false,
      closedAtMs: isOpen ? null : 1_000,
    };
  },
  actions: (row, n) => {
    const isOpen = n % 2 === 0;
    return {
      kind: 'tool_call',
      effect: 'external_read',
      status: isOpen ? 'started' : 'failed',
      endedAtMs: isOpen ? null : 1_000,
    };
  },
  timers: () => ({ kind: 'run_timeout' }),
  ready: () => ({}),
  needs: () => ({}),
  workers: (row, n) => ({ name: `w-${n}`, keyHash: `hash-${n}`, presence: 'silent' }),
  joinTokens: (row, n) => ({ tokenHash: `hash-${n}`, maxUses: 5, uses: n % 5 }),
};

/** Rows of one table with the keys `id_0`, `id_1` ...; `life` tells apart two rows of one key. */
function rowsOf(table: Table, life: number): fc.Arbitrary<AnyRow[]> {
  const shape = Object.fromEntries(
    table.columns.map((column) => [column.property, arbitraryOf(column)]),
  );
  return fc
    .array(fc.record(shape, { noNullPrototype: true }), { minLength: 3, maxLength: 3 })
    .map((rows) =>
      rows.map((row, n) => ({
        ...row,
        ...MEANINGS[table.name](row, n + 5 * life),
        [table.key.property]: `id_${n}`,
      })),
    );
}

const changes = (
  table: Table,
  rows: readonly (AnyRow | null)[],
  originals: readonly (AnyRow | null)[],
): RowChange[] =>
  rows.map((row, n) => ({
    table: table.name,
    id: `id_${n}`,
    row: row as unknown as Tables[TableName] | null,
    original: originals[n] as unknown as Tables[TableName] | null,
  }));

const write = (db: Db, list: readonly RowChange[]): Promise<void> =>
  db.transaction(async (tx) => {
    await tx.commitWith(writeStatements(list));
  });

const absent = [null, null, null];
const ids = ['id_0', 'id_1', 'id_2'];

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`rows on ${database.title}`, () => {
    let opened: OpenDatabase;
    beforeAll(async () => {
      opened = await database.open();
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      opened.db.exclusive((admin) =>
        admin.script(
          `truncate ${Object.values(TABLES)
            .map((table) => table.sqlName)
            .join(', ')}`,
        ),
      ),
    );

    test.each(Object.values(TABLES).map((table) => table.name))(
      'of %s come back as they were written, changed and deleted',
      async (name) => {
        const table = TABLES[name] as Table;
        const loaded = async (): Promise<unknown[]> => {
          const found = await loadRows(opened.db, name, [...ids, 'id_unknown']);
          return ids.map((id) => found.get(id) ?? null);
        };
        await fc.assert(
          fc.asyncProperty(rowsOf(table, 0), rowsOf(table, 1), async (first, second) => {
            await write(opened.db, changes(table, first, absent));
            expect(await loaded()).toEqual(first);
            await write(opened.db, changes(table, second, first));
            expect(await loaded()).toEqual(second);
            await write(opened.db, changes(table, absent, second));
            expect(await loaded()).toEqual(absent);
          }),
          { numRuns: 10, endOnFailure: true },
        );
      },
    );

    test.each(
      Object.values(TABLES).flatMap((table) =>
        (table as Table).updates.map((group) => [table.name, group.name] as const),
      ),
    )(
      'of %s whose change fits the group %s are changed by it and keep the rest',
      async (name, groupName) => {
        const table = TABLES[name] as Table;
        const group = table.updates.find((it) => it.name === groupName);
        if (group === undefined || table.isQueue) return;
        const [first, second] = fc.sample(fc.tuple(rowsOf(table, 0), rowsOf(table, 1)), 1)[0] ?? [];
        if (first === undefined || second === undefined) throw new Error('no sample');
        const guarded = new Set(table.guard.map((it) => it.property));
        const settled = new Set(['endedAtMs', 'closedAtMs', 'status', 'taskId', 'outOfPlay']);
        const mixed = first.map((row, n) => {
          const next = { ...row };
          for (const { property } of group.columns) {
            if (guarded.has(property) || settled.has(property)) continue;
            next[property] = second[n]?.[property];
          }
          return next;
        });
        const asked = writeStatements(changes(table, mixed, first));
        expect(asked.map((it) => it.statement.name)).toEqual([
          expect.stringMatching(`^update_${table.sqlName}_`),
        ]);
        await write(opened.db, changes(table, first, absent));
        await write(opened.db, changes(table, mixed, first));
        const found = await loadRows(opened.db, name, ids);
        expect(ids.map((id) => found.get(id))).toEqual(mixed);
        await write(opened.db, changes(table, absent, mixed));
      },
    );
  });
}
