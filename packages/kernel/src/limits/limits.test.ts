import { limitSet, type LimitSet, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

type Input = Partial<LimitSet>;

function setLimit(model: Model, key: string, body: Input): void {
  model.submit('limit.set', { key, body: limitSet.parse(body) });
}

const keyOf = (model: Model, id: string) => model.world.row('tasks', id)?.key;
const taken = (model: Model) => model.dispatch().map((it) => keyOf(model, it.taskId));
const many = (count: number, task: TaskSpecInput = {}) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, task]));

describe('a limit of a key', () => {
  test('lets as many tasks run at a time as it says; others go past those that wait', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    setLimit(model, 'db', { max_running: 2 });
    model.graph({ ...many(4, { concurrency: ['db'] }), free: {} });
    expect(taken(model)).toEqual(['t0', 't1', 'free']);
    expect(model.world.all('tasks').filter((it) => it.status === 'ready')).toHaveLength(2);
    expect(taken(model)).toEqual([]);
    const [first] = model.world.all('attempts');
    if (first !== undefined) model.complete(first);
    expect(taken(model)).toEqual(['t2']);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test.each([
    ['engine:claude', { needs: { engine: 'claude' } }],
    [
      'repo:github.com/acme/gateway',
      { workspace: { repo: 'https://github.com/Acme/gateway.git' } },
    ],
    ['repo:https://github.com/acme/gateway', { needs: { repo: 'github.com/acme/gateway' } }],
  ] as const)('%s counts every task of it', (key, task) => {
    const model = new Model();
    model.worker('w', { slots: 10, repos: ['github.com/acme/gateway'] });
    setLimit(model, key, { max_running: 1 });
    model.graph({ a: task, b: task, c: { needs: { engine: 'codex' } } });
    expect(taken(model)).toEqual(['a', 'c']);
  });

  test('an agent task without an engine takes another one where the first is full', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    setLimit(model, 'engine:claude', { max_running: 1 });
    model.graph(many(3));
    expect(model.dispatch().map((it) => it.engine)).toEqual(['claude', 'codex', 'codex']);
  });

  test('a task counts under all of its keys or does not start', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    setLimit(model, 'a', { max_running: 1 });
    setLimit(model, 'b', { max_running: 1 });
    model.graph({
      both: { concurrency: ['a', 'b'] },
      a: { concurrency: ['a'] },
      b: { concurrency: ['b'] },
    });
    expect(taken(model)).toEqual(['both']);
    const [first] = model.world.all('attempts');
    if (first !== undefined) model.complete(first);
    expect(taken(model)).toEqual(['a', 'b']);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('set while work waits, it moves what waited before out of the way of the rest', () => {
    const model = new Model();
    model.worker('w', { slots: 3 });
    model.graph({ ...many(3, { concurrency: ['db'] }), free: {} });
    setLimit(model, 'db', { max_running: 1 });
    const reply = model.submit('work.dispatch', {
      workers: model.world.all('workers').map((it) => ({ worker: it.id, max: 9 })),
    });
    expect(reply.again).toBe(true);
    const running = model.world.all('tasks').filter((it) => it.status === 'running');
    expect(running.map((it) => it.key)).toEqual(['t0', 'free']);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('counts what ran before it was set, and starts nothing until it is below', () => {
    const model = new Model();
    model.worker('w', { slots: 9 });
    model.graph(many(5, { concurrency: ['db'] }));
    const attempts = model.dispatch();
    model.graph({ next: { concurrency: ['db'] } });
    setLimit(model, 'db', { max_running: 2 });
    expect(model.world.all('limitSlots').map((it) => it.surplus)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    const [last, ...others] = attempts;
    for (const attempt of others.slice(0, 3)) {
      model.complete(attempt);
      expect(taken(model)).toEqual([]);
    }
    if (last !== undefined) model.complete(last);
    expect(taken(model)).toEqual(['next']);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('0 stops a key; taken away, nothing holds it', () => {
    const model = new Model();
    model.worker('w', { slots: 9 });
    setLimit(model, 'db', { max_running: 0 });
    model.graph(many(2, { concurrency: ['db'] }));
    expect(taken(model)).toEqual([]);
    model.submit('limit.remove', { key: 'db' });
    expect(taken(model)).toEqual(['t0', 't1']);
    expect(model.world.all('limitSlots')).toEqual([]);
    expect(model.refusal('limit.remove', { key: 'db' }).code).toBe('not_found');
  });

  test.each(['lost', 'failed', 'cancelled', 'released'] as const)(
    'a place is given back when an attempt is %s',
    (how) => {
      const model = new Model();
      model.worker('w', { slots: 9 });
      setLimit(model, 'db', { max_running: 1 });
      const run = model.graph({ a: { concurrency: ['db'] } });
      const [attempt] = model.dispatch();
      if (attempt === undefined) throw new Error('nothing was handed out');
      if (how === 'lost') {
        model.start(attempt);
        model.worker('w', { slots: 9 });
      }
      if (how === 'failed') model.fail(attempt);
      if (how === 'cancelled') {
        model.submit('run.cancel', { run, reason: null });
        expect(model.world.all('limitSlots')[0]?.attemptId).toBe(attempt.id);
        model.fail(attempt);
      }
      if (how === 'released') {
        model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
      }
      const again = model.dispatch().map((it) => it.id);
      expect(model.world.all('limitSlots').map((it) => it.attemptId)).toEqual([again[0] ?? '']);
      expect(faultsOf(model.world)).toEqual([]);
    },
  );

  test('a rate spreads starts, and the reply says when the next is due', () => {
    const model = new Model();
    model.worker('w', { slots: 9 });
    setLimit(model, 'api', { rate_per_minute: 6, burst: 2 });
    model.graph(many(4, { concurrency: ['api'] }));
    const seek = () =>
      model.submit('work.dispatch', {
        workers: model.world.all('workers').map((it) => ({ worker: it.id, max: 9 })),
      });
    const first = seek();
    expect(first.claimed).toHaveLength(2);
    expect(first.againAtMs).toBe(model.nowMs + 10_000);
    model.nowMs += 9_999;
    expect(seek().claimed).toEqual([]);
    model.nowMs += 1;
    expect(seek().claimed).toHaveLength(1);
  });
});
