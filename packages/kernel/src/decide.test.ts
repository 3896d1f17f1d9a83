import { describe, expect, test } from 'vitest';
import { faultsOf } from './testing/check-state.ts';
import { Model } from './testing/model.ts';

describe('the life of a run', () => {
  test('a chain of two tasks is handed out, one after the other, and ends', () => {
    const model = new Model();
    model.worker('w1');
    const run = model.graph({ a: { outputs: [{ key: 'x', schema: { type: 'string' } }] }, b: {} }, [
      'a -input:x-> b',
    ]);
    expect(model.statuses(run)).toEqual({ a: 'ready', b: 'blocked' });
    const [first] = model.dispatch();
    expect(first).toBeDefined();
    if (first === undefined) return;
    const mark = model.events.length;
    model.complete(first, { x: 'hello' });
    expect(model.told(mark)).toEqual([
      'attempt.started a',
      'task.started a',
      'attempt.succeeded a',
      'task.completed a',
      'contract.fulfilled a',
      'dependency.resolved b',
      'task.unblocked b',
      'task.ready b',
    ]);
    const [second] = model.dispatch();
    if (second === undefined) throw new Error('nothing');
    model.complete(second);
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });
});
