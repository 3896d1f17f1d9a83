import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

const key = (model: Model, id: string) => model.world.row('tasks', id)?.key;

describe('work.dispatch', () => {
  test('takes tasks by priority, then by age, as far as slots reach', () => {
    const model = new Model();
    model.worker('w', { slots: 3 });
    model.graph({
      old: {},
      low: { priority: 'low' },
      urgent: { priority: 'critical' },
      high: { priority: 'high' },
      young: {},
    });
    expect(model.dispatch().map((it) => key(model, it.taskId))).toEqual(['urgent', 'high', 'old']);
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('gives each task to the worker that suits it best, ties to the one least recently used', () => {
    const model = new Model();
    const a = model.worker('a', { slots: 4, languages: ['go'] });
    const b = model.worker('b', { slots: 4, languages: ['rust'] });
    model.graph({ r: { needs: { languages: ['rust'] } }, g: { needs: { languages: ['go'] } } });
    const byTask = model.dispatch(a, b).map((it) => [key(model, it.taskId), it.workerId]);
    expect(byTask).toEqual([
      ['r', b],
      ['g', a],
    ]);
    model.nowMs += 1_000;
    model.graph({ x: {} });
    const [first] = model.dispatch(b, a);
    model.nowMs += 1_000;
    model.graph({ y: {} });
    const [second] = model.dispatch(b, a);
    expect(first?.workerId).not.toBe(second?.workerId);
  });

  test('a full worker leaves its part to others in the same call', () => {
    const model = new Model();
    const x = model.worker('x', { slots: 1, repos: ['x'] });
    const y = model.worker('y', { slots: 1, repos: ['y'] });
    model.graph({
      x1: { needs: { repo: 'x' } },
      x2: { needs: { repo: 'x' } },
      y1: { needs: { repo: 'y' } },
    });
    const handed = model.dispatch(x, y).map((it) => [key(model, it.taskId), it.workerId]);
    expect(handed).toEqual([
      ['x1', x],
      ['y1', y],
    ]);
  });

  test('draining workers, workers without a link and full ones get nothing', () => {
    const model = new Model();
    const drained = model.worker('drained');
    const gone = model.worker('gone');
    model.submit('worker.drain', { worker: drained, draining: true });
    model.submit('worker.gone', { worker: gone, incarnation: 'gone-1' });
    model.graph({ a: {} });
    expect(model.dispatch(drained, gone)).toEqual([]);
    const full = model.worker('full');
    expect(model.dispatch(full)).toHaveLength(1);
    model.graph({ b: {} });
    expect(model.dispatch(full)).toEqual([]);
  });

  test('a worker that asks over HTTP first gets what it never started, and is online by asking', () => {
    const model = new Model();
    const worker = model.worker('w', { slots: 2 });
    model.submit('worker.gone', { worker, incarnation: 'w-1' });
    model.graph({ a: {}, b: {}, c: {} });
    const ask = (max: number) =>
      model.submit('work.dispatch', { workers: [{ worker, max, polling: true }] }).claimed ?? [];
    const mark = model.events.length;
    const first = ask(1);
    expect(model.told(mark)).toContain('worker.online');
    const second = ask(2);
    expect(second.map((it) => it.attempt)).toEqual([first[0]?.attempt, expect.any(String)]);
    expect(ask(5)).toHaveLength(2);
  });

  test('a claim raises the epoch, never below the beginning of its history', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: {} });
    const [attempt] = model.dispatch();
    expect(attempt?.epoch).toBe(2 ** 32);
    model.submit('attempt.release', {
      attempt: attempt?.id ?? '',
      worker: null,
      body: { epoch: attempt?.epoch ?? 0 },
    });
    expect(model.dispatch()[0]?.epoch).toBe(2 ** 32 + 1);
    model.incarnation = 2;
    const [again] = model.world.list('openAttemptsOfRun', run);
    model.submit('attempt.release', {
      attempt: again?.id ?? '',
      worker: null,
      body: { epoch: again?.epoch ?? 0 },
    });
    expect(model.dispatch()[0]?.epoch).toBe(2 ** 33);
  });

  test('what the attempt is given is frozen with its digests', () => {
    const model = new Model();
    model.worker('w');
    model.graph({ a: { outputs: [{ key: 'x' }] }, b: {} }, ['a -input:x-> b']);
    for (const attempt of model.dispatch()) model.complete(attempt, { x: 'data' });
    const [attempt] = model.dispatch();
    const output = model.world.all('outputs')[0];
    expect(attempt?.manifest).toMatchObject({
      engine: 'claude',
      generation: 1,
      inputs: { x: { key: 'x', sha256: output?.sha256, attempt: output?.attemptId } },
      upstream: [{ status: 'completed', attempt: output?.attemptId, commit: null }],
    });
    expect(attempt?.manifestSha256).toMatch(/^[0-9a-f]+$/);
  });

  test('work of another project is out of reach', () => {
    const model = new Model();
    const worker = model.worker('w');
    model.graph({ a: {} });
    const row = model.world.row('workers', worker);
    if (row === null) throw new Error('no worker');
    model.world.apply([{ table: 'workers', id: worker, row: { ...row, projectId: 'prj_other' } }]);
    expect(model.dispatch(worker)).toEqual([]);
  });
});
