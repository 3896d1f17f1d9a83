import type { Actor, Command } from '@baton/contract';
import { expect, test } from 'vitest';
import { orderBatch } from './order.ts';

const actor: Actor = { kind: 'kernel', id: null, name: null };
const base = { project: 'prj_1', actor };

const dispatch: Command = {
  ...base,
  type: 'work.dispatch',
  workers: [{ worker: 'wrk_1', max: 1 }],
};
const note = (task: string): Command => ({
  ...base,
  type: 'task.note',
  task,
  text: 'x',
  urgent: false,
});
const cancel = (task: string): Command => ({ ...base, type: 'task.cancel', task, reason: null });
const complete = (attempt: string): Command => ({
  ...base,
  type: 'attempt.complete',
  attempt,
  worker: null,
  body: { epoch: 1, result: { status: 'success', summary: '' } },
});
const typesOf = (items: readonly { readonly command: Command }[]): string[] =>
  items.map((item) => item.command.type);

test('between unrelated commands, what stops work comes first and what hands it out last', () => {
  const ordered = orderBatch([
    { command: dispatch },
    { command: note('task_a') },
    { command: complete('att_b') },
    { command: cancel('task_c') },
  ]);
  expect(typesOf(ordered)).toEqual([
    'task.cancel',
    'attempt.complete',
    'task.note',
    'work.dispatch',
  ]);
});

test('commands that name the same task keep the order in which they came', () => {
  const ordered = orderBatch([{ command: note('task_a') }, { command: cancel('task_a') }]);
  expect(typesOf(ordered)).toEqual(['task.note', 'task.cancel']);
});

test('commands of one connection keep the order in which they came', () => {
  const ordered = orderBatch([
    { command: note('task_a'), connection: 'c1' },
    { command: cancel('task_b'), connection: 'c1' },
    { command: complete('att_c'), connection: 'c2' },
  ]);
  expect(typesOf(ordered)).toEqual(['task.note', 'task.cancel', 'attempt.complete']);
});

test('ties carry over: what is tied to something tied stays behind it', () => {
  const ordered = orderBatch([
    { command: note('task_a'), connection: 'c1' },
    { command: cancel('task_a'), connection: 'c2' },
    { command: complete('att_x'), connection: 'c2' },
  ]);
  expect(typesOf(ordered)).toEqual(['task.note', 'task.cancel', 'attempt.complete']);
});
