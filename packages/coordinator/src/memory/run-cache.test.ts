import type { TableName, Tables } from '@baton/kernel';
import { expect, test } from 'vitest';
import { createRunCache, type LearnedBatch, type RunCache } from './run-cache.ts';

const task = (id: string, runId: string, status = 'ready'): Tables['tasks'] =>
  ({ id, runId, status }) as unknown as Tables['tasks'];
const edge = (id: string, up: string, down: string): Tables['dependencies'] =>
  ({ id, runId: 'run_1', upstreamId: up, downstreamId: down }) as unknown as Tables['dependencies'];

const nothing: LearnedBatch = {
  versions: new Map(),
  changedRuns: new Set(),
  newRuns: new Set(),
  rows: [],
  gone: [],
  changes: [],
  lists: [],
  row: () => undefined,
  list: () => undefined,
};

const rowsOf = (...tasks: Tables['tasks'][]): (readonly [TableName, string, Tables['tasks']])[] =>
  tasks.map((it) => ['tasks', it.id, it]);

/** What a batch that holds a run's lock at some version finds of a task. */
function find(cache: RunCache, run: string, version: number, id: string) {
  const view = cache.open();
  view.locked(run, version);
  return view.row('tasks', id);
}

test('a row is found under the lock of its run, while the run has the version it was read at', () => {
  const cache = createRunCache();
  const mine = task('task_1', 'run_1');
  cache.learn({ ...nothing, versions: new Map([['run_1', 4]]), rows: rowsOf(mine) });
  expect(find(cache, 'run_1', 4, 'task_1')).toBe(mine);
  expect(cache.open().row('tasks', 'task_1')).toBeUndefined();
  expect(cache.runOf('tasks', 'task_1')).toBe('run_1');
});

test('what another replica changed is not believed again, even at the version it had', () => {
  const cache = createRunCache();
  cache.learn({
    ...nothing,
    versions: new Map([['run_1', 4]]),
    rows: rowsOf(task('task_1', 'run_1')),
  });
  expect(find(cache, 'run_1', 5, 'task_1')).toBeUndefined();
  expect(find(cache, 'run_1', 4, 'task_1')).toBeUndefined();
});

test('a batch that changed the run leaves it known at the next version', () => {
  const cache = createRunCache();
  const before = task('task_1', 'run_1');
  const other = task('task_2', 'run_1');
  cache.learn({ ...nothing, versions: new Map([['run_1', 4]]), rows: rowsOf(before, other) });
  const after = task('task_1', 'run_1', 'running');
  const view = cache.open();
  view.locked('run_1', 4);
  cache.learn({
    ...nothing,
    versions: new Map([['run_1', 4]]),
    changedRuns: new Set(['run_1']),
    rows: rowsOf(after),
    changes: [{ table: 'tasks', row: after, original: before }],
  });
  expect(find(cache, 'run_1', 5, 'task_1')).toBe(after);
  expect(find(cache, 'run_1', 5, 'task_2')).toBe(other);
});

test('a row that is gone, or was read without the lock, is forgotten', () => {
  const cache = createRunCache();
  const versions = new Map([['run_1', 1]]);
  cache.learn({ ...nothing, versions, rows: rowsOf(task('task_1', 'run_1')) });
  cache.learn({ ...nothing, versions, gone: [['tasks', 'task_1']] });
  expect(find(cache, 'run_1', 1, 'task_1')).toBeUndefined();
});

test('a list that is known has the rows that join it, and not those that leave it', () => {
  const cache = createRunCache();
  const versions = new Map([['run_1', 1]]);
  const upstream = task('task_1', 'run_1');
  const edgesOut = (): readonly Tables['dependencies'][] | undefined => {
    const view = cache.open();
    view.locked('run_1', 1);
    return view.list('edgesOut', 'task_1') as readonly Tables['dependencies'][] | undefined;
  };
  cache.learn({
    ...nothing,
    versions,
    rows: rowsOf(upstream),
    lists: [['edgesOut', 'task_1']],
    row: ((_table: TableName, id: string) =>
      id === 'task_1' ? upstream : undefined) as LearnedBatch['row'],
    list: () => [],
  });
  expect(edgesOut()).toEqual([]);
  const added = edge('dep_1', 'task_1', 'task_2');
  cache.learn({
    ...nothing,
    versions,
    rows: [['dependencies', added.id, added]],
    changes: [{ table: 'dependencies', row: added, original: null }],
  });
  expect(edgesOut()).toEqual([added]);
  cache.learn({
    ...nothing,
    versions,
    gone: [['dependencies', added.id]],
    changes: [{ table: 'dependencies', row: null, original: added }],
  });
  expect(edgesOut()).toEqual([]);
});

test('it stays within its bound, the oldest first', () => {
  const cache = createRunCache(2);
  const versions = new Map([['run_1', 1]]);
  const rows = rowsOf(task('task_1', 'run_1'), task('task_2', 'run_1'), task('task_3', 'run_1'));
  cache.learn({ ...nothing, versions, rows });
  expect(find(cache, 'run_1', 1, 'task_1')).toBeUndefined();
  expect(find(cache, 'run_1', 1, 'task_3')).toBeDefined();
});
