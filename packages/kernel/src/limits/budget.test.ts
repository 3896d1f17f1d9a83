import { budgetSpec, runCreate, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model, PROJECT } from '../testing/model.ts';

const claude: TaskSpecInput = { needs: { engine: 'claude' } };
const many = (count: number, task: TaskSpecInput = claude) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, task]));

function uses(model: Model, attempt: AttemptRow, usd: string): void {
  model.submit('attempt.progress', {
    ...model.by(attempt),
    body: { epoch: attempt.epoch, usage: usageOf(usd) },
  });
}

const usageOf = (usd: string) => ({
  input_tokens: 1,
  output_tokens: 1,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  usd,
});

const budgetOf = (model: Model, id: string) => {
  const row = model.world.row('budgets', id);
  return row === null ? null : [row.limitMicros, row.spentMicros, row.reservedMicros];
};
const setBudget = (
  model: Model,
  scope: 'project' | 'run' | 'task',
  id: string,
  usd: string | null,
) => model.submit('budget.set', { scope, id, body: { usd } });

describe('a budget', () => {
  test('is set aside before attempts start, so that what runs at a time cannot spend it twice', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    const run = model.graph(many(5), [], { budgets: { usd: '2.5' } });
    expect(model.dispatch()).toHaveLength(3);
    expect(budgetOf(model, run)).toEqual([2_500_000, 0, 2_500_000]);
    expect(Object.values(model.statuses(run))).toEqual([
      'running',
      'running',
      'running',
      'ready (budget)',
      'ready (budget)',
    ]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that is taken away and set anew counts what its open attempts have set aside', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    setBudget(model, 'project', PROJECT, '2');
    model.graph(many(2));
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    setBudget(model, 'project', PROJECT, null);
    setBudget(model, 'project', PROJECT, '2');
    expect(faultsOf(model.world)).toEqual([]);
    const [, , before = 0] = budgetOf(model, PROJECT) ?? [];
    model.complete(first);
    expect(budgetOf(model, PROJECT)).toEqual([2_000_000, 0, before / 2]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('what an attempt did not spend of it lets the next start', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    const run = model.graph(many(4), [], { budgets: { usd: 2 } });
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    model.dispatch();
    uses(model, first, '0.25');
    expect(budgetOf(model, run)).toEqual([2_000_000, 250_000, 1_750_000]);
    model.complete(first);
    expect(budgetOf(model, run)).toEqual([2_000_000, 250_000, 1_000_000]);
    expect(model.dispatch()).toHaveLength(1);
    expect(budgetOf(model, run)).toEqual([2_000_000, 250_000, 1_750_000]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('warns once at 80 %, pauses the run at 100 %, and goes on when it is raised', () => {
    const model = new Model();
    model.worker('w', { slots: 1 });
    const run = model.graph(many(2), [], { budgets: { usd: '1' } });
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    model.start(first);
    const since = model.events.length;
    for (const usd of ['0.5', '0.8', '0.9', '1.1']) uses(model, first, usd);
    const told = model.told(since).filter((it) => /^(budget|run)/.test(it));
    expect(told).toEqual(['budget.warned', 'budget.exhausted', 'run.paused']);
    expect(model.runRow(run)).toMatchObject({ status: 'paused', reason: 'budget' });
    expect(model.attempt(first.id).status).toBe('stopping');
    expect(faultsOf(model.world)).toEqual([]);
    model.fail(first);
    expect(model.dispatch()).toEqual([]);
    expect(budgetOf(model, run)).toEqual([1_000_000, 1_100_000, 0]);
    setBudget(model, 'run', run, '1.05');
    expect(model.runRow(run).status).toBe('paused');
    setBudget(model, 'run', run, '3');
    expect(model.runRow(run)).toMatchObject({ status: 'running', reason: null });
    expect(model.dispatch()).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('of a task pauses that task alone', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const run = model.graph({
      a: { ...claude, budgets: { usd: 1, reserve_usd: '0.5' } },
      b: claude,
    });
    const a = model.byKey(run, 'a').id;
    const attempts = model.dispatch();
    expect(budgetOf(model, a)).toEqual([1_000_000, 0, 500_000]);
    for (const attempt of attempts) uses(model, attempt, '1.5');
    expect(model.statuses(run)).toEqual({ a: 'paused (budget)', b: 'running' });
    for (const attempt of attempts.slice(0, 1)) model.fail(attempt);
    setBudget(model, 'task', a, '4');
    expect(model.statuses(run)['a']).toBe('ready');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('that is gone lets its tasks go on by the project alone, whose money is looked at when they start', () => {
    const model = new Model();
    model.worker('w', { slots: 10 });
    const run = model.graph(many(2), [], { budgets: { usd: 1 } });
    model.dispatch();
    expect(model.statuses(run)).toEqual({ t0: 'running', t1: 'ready (budget)' });
    setBudget(model, 'project', PROJECT, '1');
    setBudget(model, 'run', run, null);
    expect(model.dispatch()).toEqual([]);
    setBudget(model, 'project', PROJECT, null);
    expect(model.dispatch()).toHaveLength(1);
    expect(model.statuses(run)).toEqual({ t0: 'running', t1: 'running' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('of a project is charged by every run, also by what ran before it was set', () => {
    const model = new Model();
    model.worker('w', { slots: 9 });
    const one = model.graph(many(1));
    const [running] = model.dispatch();
    if (running === undefined) throw new Error('nothing was handed out');
    setBudget(model, 'project', PROJECT, '2');
    const two = model.graph({ ...many(4), free: { kind: 'command', spec: 'true' } });
    expect(model.dispatch()).toHaveLength(3);
    expect(budgetOf(model, PROJECT)).toEqual([2_000_000, 0, 2_000_000]);
    uses(model, running, '2');
    expect(model.runRow(one)).toMatchObject({ status: 'paused', reason: 'budget' });
    expect(model.runRow(two).status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
    setBudget(model, 'project', PROJECT, null);
    expect(model.runRow(one).status).toBe('running');
    expect(model.dispatch().length).toBeGreaterThan(0);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test.each([{ usd: 0 }, { usd: -1 }, { usd: 'lots' }, { usd: '1e3' }, { usd: 2e6 }, { eur: 1 }])(
    'a spec of %j is refused',
    (budgets) => {
      expect(budgetSpec.safeParse(budgets).success).toBe(false);
      expect(runCreate.safeParse({ goal: 'x', budgets }).success).toBe(false);
    },
  );
});
