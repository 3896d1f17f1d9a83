import type { Dependency, RunGraph, Task } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { Model } from '../testing/model.ts';
import { explainRun } from './explain-run.ts';

/** The graph of a run as clients see it, as far as an explanation looks at it. */
function graphOf(model: Model, id: string): RunGraph {
  const run = model.runRow(id);
  const tasks = [...model.world.list('tasksOfRun', id)].toSorted((a, b) => a.position - b.position);
  const seen: Partial<RunGraph['run']> = {
    id,
    status: run.status,
    reason: run.reason,
    needs_human: run.needsHuman,
    delivery: run.delivery,
  };
  return {
    run: seen as RunGraph['run'],
    cursor: '',
    tasks: tasks.map((it) => {
      const worker = model.world.row('workers', it.workerId ?? '')?.name ?? null;
      const { key, status, reason } = it;
      const needsHuman = it.checkpointId !== null;
      const task = { id: it.id, key, status, reason, worker_name: worker, needs_human: needsHuman };
      return task as Task;
    }),
    dependencies: model.world.list('dependenciesOfRun', id).map((it) => {
      const { type, satisfied } = it;
      return {
        type,
        satisfied,
        upstream: it.upstreamId,
        downstream: it.downstreamId,
      } as Dependency;
    }),
  };
}

function explained(model: Model, run: string) {
  const { sentence, next, waits_for: waits } = explainRun(graphOf(model, run));
  return { sentence, next, waits: waits.map(({ kind, key }) => `${kind} ${key ?? '-'}`) };
}

/** Why a run was last said to wait. */
function toldReason(model: Model): unknown {
  return model.events.findLast((it) => it.type === 'run.waiting')?.data['reason'];
}

describe('why a run is where it is', () => {
  test('names the work whose review its gates wait for', () => {
    const model = new Model();
    model.worker('w', { slots: 4 });
    const run = model.graph({ design: {}, build: {}, ship: {} }, [
      'design -gate-> build',
      'build -> ship',
    ]);
    expect(explained(model, run)).toMatchObject({ waits: ['worker design'] });
    const [attempt] = model.dispatch();
    if (attempt === undefined) throw new Error('nothing was handed out');
    expect(explained(model, run).sentence).toBe('It waits for work on design.');
    model.complete(attempt);
    expect(model.runRow(run).status).toBe('waiting');
    expect(toldReason(model)).toBe('review:design');
    expect(explained(model, run)).toEqual({
      sentence: 'It waits for a review of design.',
      next: 'approve it: baton task review design --approve',
      waits: ['review design'],
    });
    const design = model.byKey(run, 'design').id;
    model.submit('task.review', { task: design, action: 'approve', note: null });
    expect(explained(model, run).waits).toEqual(['worker build']);
  });

  test('tells everything that holds it, and what a shut gate holds is not among it', () => {
    const model = new Model();
    model.worker('w', { slots: 4 });
    const run = model.graph(
      { a: {}, check: { kind: 'verify' }, b: {}, c: {}, held: { dispatch: 'manual' }, later: {} },
      ['a -gate-> b', 'check -gate-> c'],
    );
    const id = (key: string): string => model.byKey(run, key).id;
    model.submit('task.pause', { task: id('later'), reason: null });
    for (const attempt of model.dispatch()) model.complete(attempt);
    model.submit('task.review', { task: id('check'), action: 'reject', note: null });
    expect(explained(model, run)).toEqual({
      sentence: 'It waits for a review of a; somebody to assign held; somebody to resume later.',
      next: 'approve it: baton task review a --approve',
      waits: ['assignment held', 'paused later', 'review a'],
    });
    expect(toldReason(model)).toBe('review:a');
  });

  test('names who must assign, resume, answer, or decide for all of it', () => {
    const model = new Model();
    const held = model.graph({ a: { dispatch: 'manual' } });
    expect(toldReason(model)).toBe('waiting_for_assignment');
    expect(explained(model, held).waits).toEqual(['assignment a']);
    const asked = model.graph({ a: { kind: 'human', spec: 'Which?' } });
    expect(explained(model, asked).sentence).toBe('It waits for a person, about a.');
    const barred = model.graph({ a: {} });
    const body = { question: 'Go on?', options: ['yes'] };
    model.submit('run.checkpoint', { run: barred, body: body as never });
    expect(explained(model, barred).waits).toContain('barrier -');
    model.submit('run.cancel', { run: barred, reason: 'no' });
    expect(explained(model, barred)).toEqual({
      sentence: 'It ended as cancelled (no).',
      next: 'retry what stopped it',
      waits: [],
    });
  });
});
