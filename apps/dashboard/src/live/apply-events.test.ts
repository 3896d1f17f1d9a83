import type { Event, EventType, Json, RunGraph } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { activeScene } from '../../dev/scenes.ts';
import { createWorld } from '../../dev/world.ts';
import { applyEvents, posOf } from './apply-events.ts';

function scene() {
  const world = createWorld();
  const run = activeScene(world);
  const graph: RunGraph = {
    run,
    tasks: [...world.tasks.values()],
    dependencies: world.edges,
    cursor: '1.100',
  };
  const idOf = (key: string): string => graph.tasks.find((task) => task.key === key)?.id ?? '';
  const event = (
    pos: number,
    type: EventType,
    key: string | null,
    data: Record<string, Json> = {},
  ): Event => ({
    cursor: `1.${pos}`,
    pos,
    run_seq: pos,
    project: run.project,
    run: run.id,
    task: key === null ? null : idOf(key),
    attempt: null,
    type,
    actor: { kind: 'kernel', id: null, name: null },
    cause: null,
    at: '2030-01-01T00:00:00.000Z',
    data,
  });
  const taskOf = (from: RunGraph, key: string) => from.tasks.find((task) => task.key === key);
  return { graph, event, idOf, taskOf };
}

describe('events on a graph', () => {
  test('give each task the status they tell, with worker and times', () => {
    const { graph, event, taskOf } = scene();
    const after = applyEvents(graph, [
      event(101, 'task.assigned', 'docs', { worker_name: 'drill', attempt: 'att_9' }),
      event(102, 'task.started', 'docs', { worker_name: 'drill' }),
      event(103, 'task.progressed', 'docs', { percent: 40, text: 'halfway' }),
      event(104, 'task.failed', 'impl-users', { reason: 'tests fail' }),
    ]);
    expect(taskOf(after, 'docs')).toMatchObject({
      status: 'running',
      worker_name: 'drill',
      attempt: 'att_9',
      started_at: '2030-01-01T00:00:00.000Z',
      progress: { percent: 40, text: 'halfway' },
    });
    expect(taskOf(after, 'impl-users')).toMatchObject({ status: 'failed', reason: 'tests fail' });
    expect(after.run.tasks_by_status).toMatchObject({ running: 1, failed: 1 });
    expect(after.cursor).toBe('1.104');
  });

  test('that the snapshot holds already are passed over', () => {
    const { graph, event } = scene();
    const old = [event(99, 'task.failed', 'docs'), event(100, 'run.failed', null)];
    expect(applyEvents(graph, old)).toBe(graph);
  });

  test('of another run change nothing', () => {
    const { graph, event } = scene();
    expect(applyEvents(graph, [{ ...event(101, 'run.failed', null), run: 'run_other' }])).toBe(
      graph,
    );
  });

  test('a wish for approval is not a question', () => {
    const { graph, event, taskOf } = scene();
    const ask = (kind: string) =>
      taskOf(applyEvents(graph, [event(101, 'task.needs_human', 'docs', { kind })]), 'docs')
        ?.status;
    expect([ask('dispatch_approval'), ask('question')]).toEqual(['awaiting_approval', 'waiting']);
  });

  test('an answered question no longer needs a person', () => {
    const { graph, event, taskOf } = scene();
    const after = applyEvents(graph, [event(101, 'task.resumed', 'impl-auth')]);
    expect(taskOf(after, 'impl-auth')).toMatchObject({ status: 'running', needs_human: false });
  });

  test('settle the edges they name', () => {
    const { graph, event, idOf } = scene();
    const after = applyEvents(graph, [
      event(101, 'dependency.resolved', 'verify', {
        upstream: idOf('impl-users'),
        downstream: idOf('verify'),
        type: 'blocks',
      }),
    ]);
    const into = after.dependencies.filter(({ downstream_key: key }) => key === 'verify');
    expect(into.map(({ upstream_key: key, satisfied }) => [key, satisfied])).toEqual([
      ['impl-users', true],
      ['impl-auth', false],
    ]);
  });

  test('tell how the run ended and where its work went', () => {
    const { graph, event } = scene();
    const after = applyEvents(graph, [
      event(101, 'run.delivering', null),
      event(102, 'run.delivered', null, { delivery: { commit: 'abc', branch: 'main' } }),
      event(103, 'run.completed', null, { summary: 'done' }),
    ]);
    expect(after.run).toMatchObject({
      status: 'completed',
      delivery: { state: 'delivered', commit: 'abc', branch: 'main' },
      ended_at: '2030-01-01T00:00:00.000Z',
    });
  });
});

test('a cursor is read from behind its incarnation', () => {
  expect([posOf('3.120'), posOf('nonsense')]).toEqual([120, -1]);
});
