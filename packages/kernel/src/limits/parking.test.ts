import { describe, expect, test } from 'vitest';
import { isoOf } from '../iso-time.ts';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

/** The attempt's provider refused it until so many seconds from now. */
function refuse(model: Model, attempt: AttemptRow, seconds: number): void {
  const at = isoOf(model.nowMs + seconds * 1_000);
  model.submit('attempt.fail', {
    ...model.by(attempt),
    body: {
      epoch: attempt.epoch,
      reason: 'usage limit reached',
      failure_class: 'rate_limited',
      retry_at: at,
    },
  });
}

function only(attempts: readonly AttemptRow[]): AttemptRow {
  const [attempt] = attempts;
  if (attempt === undefined || attempts.length > 1) throw new Error(`${attempts.length} attempts`);
  return attempt;
}

const claude = { needs: { engine: 'claude' } };

describe('a provider that refuses', () => {
  test('parks the tasks of its engine until the reset, and wakes them then', () => {
    const model = new Model();
    model.worker('w', { slots: 1 });
    const run = model.graph({ a: claude, b: claude, c: { needs: { engine: 'codex' } } });
    const first = only(model.dispatch());
    const since = model.events.length;
    refuse(model, first, 600);
    expect(model.statuses(run)).toEqual({ a: 'waiting (rate_limited)', b: 'ready', c: 'ready' });
    expect(model.told(since)).toContain('engine.parked a');
    expect(model.runRow(run).status).toBe('running');
    const other = only(model.dispatch());
    expect(other.engine).toBe('codex');
    model.complete(other);
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    model.advance(600);
    expect(model.statuses(run)).toMatchObject({ a: 'ready', b: 'ready' });
    const next = only(model.dispatch());
    expect(next.engine).toBe('claude');
    expect(model.world.all('parkings')).toEqual([]);
    expect(model.events.some((it) => it.type === 'engine.unparked')).toBe(true);
    expect(model.byKey(run, 'a').attemptCount + model.byKey(run, 'b').attemptCount).toBe(1);
  });

  test('does not hold back a worker with another account', () => {
    const model = new Model();
    const one = model.worker('one');
    const two = model.worker('two');
    const run = model.graph({ a: claude });
    refuse(model, only(model.dispatch(one)), 600);
    expect(model.statuses(run)).toEqual({ a: 'ready' });
    expect(model.dispatch(one)).toEqual([]);
    expect(only(model.dispatch(two)).workerId).toBe(two);
  });

  test('holds back every worker that is logged in as the same', () => {
    const model = new Model();
    const one = model.worker('one', { account: 'ada@example.org' });
    model.worker('two', { account: 'ada@example.org' });
    const run = model.graph({ a: claude });
    refuse(model, only(model.dispatch(one)), 600);
    expect(model.statuses(run)).toEqual({ a: 'waiting (rate_limited)' });
    model.advance(599);
    expect(model.dispatch()).toEqual([]);
    model.advance(1);
    expect(model.dispatch()).toHaveLength(1);
  });

  test('lets a task go on with the engine named for that, and only then', () => {
    const model = new Model();
    model.worker('w', { slots: 2 });
    const task = { needs: { engine: 'claude', fallback_engine: 'codex' } };
    model.graph({ a: task });
    const first = only(model.dispatch());
    expect(first.engine).toBe('claude');
    refuse(model, first, 600);
    const second = only(model.dispatch());
    expect([second.engine, second.taskId]).toEqual(['codex', first.taskId]);
    model.complete(second);
    model.advance(600);
    model.graph({ b: task });
    expect(only(model.dispatch()).engine).toBe('claude');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test.each(['task.pause', 'task.cancel'] as const)('%s ends the wait', (type) => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: claude });
    refuse(model, only(model.dispatch()), 600);
    model.submit(type, { task: model.byKey(run, 'a').id, reason: null });
    expect(model.world.all('timers')).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    model.advance(700);
    expect(model.dispatch()).toEqual([]);
  });
});
