import type { ReadyRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import { sampleRow } from '@baton/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQueueMemory } from './queue-memory.ts';

const ready = (task: string, seq: number, more: Partial<ReadyRow> = {}): ReadyRow =>
  sampleRow('ready', { taskId: task, needsId: 'needs_1', seq, ...more });
const change = (id: string, original: ReadyRow | null, row: ReadyRow | null): RowChange => ({
  table: 'ready',
  id,
  original,
  row,
});
const ids = (rows: readonly ReadyRow[] | null): readonly string[] | null =>
  rows?.map((it) => it.taskId) ?? null;

test('a queue that was never looked at is not known, and one that was found empty is', () => {
  const memory = createQueueMemory();
  memory.take([change('a', null, ready('a', 1))]);
  expect(memory.heads('prj_1', 'needs_1', 5)).toBeNull();
  memory.found({ project: 'prj_1', needsId: 'needs_1' }, [], 5);
  expect(memory.heads('prj_1', 'needs_1', 5)).toEqual([]);
  expect(memory.heads('prj_2', 'needs_1', 5)).toBeNull();
});

test('behind the last head that was seen nothing is known', () => {
  const memory = createQueueMemory();
  const [a, b] = [ready('a', 1), ready('b', 2)];
  memory.found({ project: 'prj_1', needsId: 'needs_1' }, [a, b], 2);
  memory.take([change('z', null, ready('z', 9))]);
  expect(ids(memory.heads('prj_1', 'needs_1', 2))).toEqual(['a', 'b']);
  expect(memory.heads('prj_1', 'needs_1', 3)).toBeNull();
  memory.take([change('a', a, null)]);
  expect(ids(memory.heads('prj_1', 'needs_1', 1))).toEqual(['b']);
  expect(memory.heads('prj_1', 'needs_1', 2)).toBeNull();
});

test('what is held back is no head, and is one again when it is let go', () => {
  const memory = createQueueMemory();
  const [a, b] = [ready('a', 1), ready('b', 2)];
  const held: ReadyRow = { ...a, held: 'paused' };
  memory.found({ project: 'prj_1', needsId: 'needs_1' }, [a, b], 5);
  memory.take([change('a', a, held)]);
  expect(ids(memory.heads('prj_1', 'needs_1', 5))).toEqual(['b']);
  memory.take([change('a', held, { ...a })]);
  expect(ids(memory.heads('prj_1', 'needs_1', 5))).toEqual(['a', 'b']);
});

test('a queue that nobody looks at does not grow with what came and went', () => {
  const memory = createQueueMemory();
  memory.found({ project: 'prj_1', needsId: 'needs_1' }, [], 5);
  for (let round = 0; round < 60; round++) {
    const rows = Array.from({ length: 1_000 }, (_, n) => ready(`${round}.${n}`, n));
    memory.take(rows.map((it) => change(it.taskId, null, it)));
    memory.take(rows.map((it) => change(it.taskId, it, null)));
  }
  expect(memory.size).toBeLessThan(45_000);
  expect(memory.heads('prj_1', 'needs_1', 5)).toEqual([]);
});

test('whatever was learned, the heads are those of the queue, or not known', () => {
  const queues = ['needs_1', 'needs_2'];
  const place = fc.record({
    priority: fc.integer({ min: 0, max: 3 }),
    pass: fc.integer({ min: 0, max: 3 }),
    needsId: fc.constantFrom(...queues),
    held: fc.constantFrom(null, null, null, 'paused'),
  });
  const tasks = Array.from({ length: 12 }, (_, n) => `t${n}`);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: fc.constantFrom(...tasks), place }) },
    { weight: 3, arbitrary: fc.record({ drop: fc.constantFrom(...tasks) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        look: fc.constantFrom(...queues),
        limit: fc.integer({ min: 1, max: 8 }),
        /** So many changes ago. */
        ago: fc.integer({ min: 0, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ forget: true }) },
  );
  let known = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const memory = createQueueMemory();
      const stored = new Map<string, ReadyRow>();
      const changes: RowChange[] = [];
      const states: ReadyRow[][] = [[]];
      const put = (one: RowChange): void => {
        memory.take([one]);
        changes.push(one);
        if (one.row === null) stored.delete(one.id);
        else stored.set(one.id, one.row as ReadyRow);
        states.push([...stored.values()]);
      };
      const sorted = (needsId: string, rows: readonly ReadyRow[]): ReadyRow[] =>
        rows
          .filter((it) => it.needsId === needsId && it.held === null)
          .toSorted((a, b) => a.priority - b.priority || a.pass - b.pass || a.seq - b.seq);
      for (const it of queues) memory.found({ project: 'prj_1', needsId: it }, [], 8);
      let seq = 0;
      for (const it of steps) {
        if ('put' in it) {
          const row = ready(it.put, seq++, it.place as Partial<ReadyRow>);
          put(change(it.put, stored.get(it.put) ?? null, row));
        } else if ('drop' in it) {
          const row = stored.get(it.drop);
          if (row === undefined) continue;
          put(change(it.drop, row, null));
        } else if ('look' in it) {
          const at = Math.max(0, changes.length - it.ago);
          // A copy of each row: what is read is never the very object that was written.
          const seen = sorted(it.look, states[at] ?? []).map((row) => ({ ...row }));
          const name = { project: 'prj_1', needsId: it.look };
          memory.found(name, seen.slice(0, it.limit), it.limit, changes.slice(at));
        } else memory.forget();
        for (const needsId of queues) {
          for (const limit of [1, 3, 20]) {
            const heads = memory.heads('prj_1', needsId, limit);
            if (heads === null) continue;
            known += heads.length;
            expect(heads).toEqual(sorted(needsId, [...stored.values()]).slice(0, limit));
          }
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(known).toBeGreaterThan(0);
});
