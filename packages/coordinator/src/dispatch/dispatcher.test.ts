import type { Reply } from '@baton/kernel';
import { expect, test } from 'vitest';
import type { BatchResult } from '../batch/batch-result.ts';
import { createDispatcher, type Dispatcher, type DispatchTarget } from './dispatcher.ts';

const resultOf = (target: DispatchTarget, reply: Reply): BatchResult => ({
  outcomes: [],
  events: [],
  firstPos: 0,
  writes: [],
  dispatches: [{ target, reply }],
});
const targetOf = (it: Dispatcher): DispatchTarget => {
  const [target] = it.targets();
  if (target === undefined) throw new Error('nobody waits');
  return target;
};

test('what was searched for nothing is not searched again, until somebody wishes it', () => {
  const it = createDispatcher();
  it.park('wrk_1', 'prj_1', 1, false);
  const first = targetOf(it);
  expect(first.searchStored).toBe(true);
  it.learn(resultOf(first, { claimed: [] }));
  expect(targetOf(it).searchStored).toBe(false);
  it.searchAll();
  expect(targetOf(it).searchStored).toBe(true);
});

test('a wish that came while a batch was under way is met by a later batch only', () => {
  const it = createDispatcher();
  it.park('wrk_1', 'prj_1', 1, false);
  const first = targetOf(it);
  it.searchIn(new Set(['prj_1']));
  // The next batch is decided before the first is answered, and finds more than it can hand out.
  const second = targetOf(it);
  it.learn(resultOf(first, { claimed: [] }));
  expect(targetOf(it).searchStored).toBe(true);
  const claimed = [{ worker: 'wrk_1', attempt: 'att_1' }];
  expect(it.learn(resultOf(second, { claimed }))).toBe(true);
  expect(targetOf(it).searchStored).toBe(true);
});
