import { limitSet, type TaskSpecInput } from '@baton/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Model } from '../testing/model.ts';
import { Model as NewModel, PROJECT } from '../testing/model.ts';
import { STEPS } from '../testing/random-steps.ts';
import { isoOf } from '../iso-time.ts';
import { explain } from './explain.ts';

function told(model: Model, task: string) {
  const explained = explain(model.world, { project: PROJECT, task }, model.context());
  if (explained.kind === 'needs') throw new Error(`needs ${JSON.stringify(explained.needs)}`);
  if (explained.explanation === null) throw new Error(`there is no task ${task}`);
  return explained.explanation;
}

/** Tasks that a dispatch to some workers would hand out. */
function taken(model: Model, workers: readonly string[]): Set<string> {
  const decision = model.peek('work.dispatch', {
    workers: workers.map((worker) => ({
      worker,
      max: 1_000,
      polling: model.world.row('workers', worker)?.incarnation === null,
    })),
  });
  if (decision.kind === 'refused') throw new Error(decision.refusal.message);
  return new Set(
    decision.changes.flatMap((it) =>
      it.table === 'attempts' && it.row?.status === 'claimed' ? [it.row.taskId] : [],
    ),
  );
}

const NAMES = [
  'run',
  'run',
  'dispatch',
  'dispatch',
  'start',
  'complete',
  'fail',
  'limit',
  'limit',
  'budget',
  'spend',
  'drain',
  'assign',
  'ask',
  'gone',
  'time',
  'hello',
  'pauseTask',
  'retry',
  'cancelTask',
] as const;

describe('what is told of a task', () => {
  test('agrees with what a dispatch does, in any world', () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom(...NAMES.filter((it) => it in STEPS)),
        a: fc.nat({ max: 1_000 }),
        b: fc.nat({ max: 1_000 }),
      }),
      { minLength: 5, maxLength: 40 },
    );
    let winners = 0;
    let losers = 0;
    fc.assert(
      fc.property(fc.noBias(steps), (all) => {
        const model = new NewModel();
        model.worker('w1', { slots: 3 });
        model.worker('w2', { slots: 2, engines: ['shell', 'codex'], account: 'ada' });
        for (const { what, a, b } of all) STEPS[what as keyof typeof STEPS](model, a, b);
        const workers = model.world.all('workers');
        if (all.length % 2 === 0) model.beat(workers.map((it) => it.id));
        const able = workers.filter((it) => it.incarnation !== null || it.presence === 'online');
        const takenByAll = taken(
          model,
          able.map((it) => it.id),
        );
        for (const task of model.world.all('tasks')) {
          if (task.deletedAtMs !== null) continue;
          const it = told(model, task.id);
          expect(it.sentence).not.toBe('');
          if (it.winner !== null) {
            const winner = workers.find(({ name }) => name === it.winner)?.id ?? '';
            expect([...taken(model, [winner])]).toContain(task.id);
            winners += 1;
          }
          const isAble = it.status === 'ready' && it.candidates.some(({ eligible }) => eligible);
          if (!isAble) {
            expect([...takenByAll]).not.toContain(task.id);
            if (it.status === 'ready') losers += 1;
          }
        }
      }),
      { numRuns: 120 },
    );
    expect([winners > 20, losers > 20]).toEqual([true, true]);
  }, 300_000);

  const claude: TaskSpecInput = { needs: { engine: 'claude' } };

  test('names the key, its limit and who holds it', () => {
    const model = new NewModel();
    model.worker('w', { slots: 5 });
    model.submit('limit.set', { key: 'deploy', body: limitSet.parse({ max_running: 1 }) });
    const run = model.graph({ a: { concurrency: ['deploy'] }, b: { concurrency: ['deploy'] } });
    model.dispatch();
    const it = told(model, model.byKey(run, 'b').id);
    expect(it).toMatchObject({
      status: 'ready',
      sentence: 'It is ready and may not start: the limit of deploy is reached, held by a.',
      next: 'one of them ends',
      holds: [{ kind: 'limit', by: ['a'], until: null }],
      winner: null,
    });
  });

  test('says which dependency is open, and where it runs', () => {
    const model = new NewModel();
    model.worker('w', { slots: 5 });
    const run = model.graph({ a: {}, b: {}, c: {} }, ['a -> c', 'b -> c']);
    const [first] = model.dispatch();
    if (first !== undefined) model.complete(first);
    const it = told(model, model.byKey(run, 'c').id);
    expect(it.sentence).toBe('It waits for b (running on w).');
    expect(it.next).toBe('b is completed');
  });

  test('says what a worker lacks, and that a busy one is busy', () => {
    const model = new NewModel();
    model.worker('big', { slots: 1 });
    model.worker('poor', { slots: 1, engines: ['codex'] });
    const run = model.graph({ a: claude, b: claude });
    model.dispatch();
    const it = told(model, model.byKey(run, 'b').id);
    expect(it.sentence).toBe('It waits for a free slot of big.');
    expect(it.candidates.map(({ name, disqualified }) => [name, disqualified])).toEqual([
      ['big', ['has no free slot (1 of 1 in use)']],
      ['poor', ['does not have engine claude']],
    ]);
  });

  test('says until when a provider refuses, and what a budget lacks', () => {
    const model = new NewModel();
    model.worker('w', { slots: 5 });
    const run = model.graph({ a: claude, b: claude }, [], { budgets: { usd: 1 } });
    const [first] = model.dispatch();
    if (first === undefined) throw new Error('nothing was handed out');
    expect(told(model, model.byKey(run, 'b').id)).toMatchObject({
      sentence:
        'It is ready and may not start: the budget of the run: $0 spent and $1 set aside of $1.',
    });
    model.submit('attempt.fail', {
      ...model.by(first),
      body: { epoch: first.epoch, reason: 'usage limit', failure_class: 'rate_limited' },
    });
    const until = isoOf(model.nowMs + 60_000);
    expect(told(model, model.byKey(run, 'a').id).sentence).toBe(
      `It waits until its provider's limit resets at ${until}.`,
    );
    expect(told(model, model.byKey(run, 'b').id)).toMatchObject({
      sentence: `It is ready and may not start: claude of w is refused: usage limit.`,
      next: `the time comes (${until})`,
    });
  });

  test('says why what has ended ended', () => {
    const model = new NewModel();
    model.worker('w', { slots: 5 });
    const run = model.graph({ a: {}, b: {} }, ['a -> b']);
    const [first] = model.dispatch();
    if (first !== undefined) model.fail(first);
    expect(told(model, model.byKey(run, 'a').id).sentence).toBe(
      'It failed (agent_error): it broke.',
    );
    expect(told(model, model.byKey(run, 'b').id).sentence).toBe(
      'It was skipped: a did not succeed.',
    );
  });
});
