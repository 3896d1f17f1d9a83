import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBaton } from '../support/process.ts';
import { byKey, eventsOf, placeOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from '../support/tower.ts';

const baton = (tower: Tower, ...args: readonly string[]) =>
  runBaton([...args, '--json'], { BATON_URL: tower.url, BATON_API_KEY: tower.apiKey });

async function gated(tower: Tower, dir: string) {
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'careful',
      policy: { require_dispatch_approval: 'always' },
      plan: { tasks: [{ key: 'a', kind: 'command', spec: `touch ${join(dir, 'ran')}` }] },
    },
  });
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  return { run, task: taskOf(byKey(graph), 'a') };
}

test('n7: a task that needs a yes runs nothing before it', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const dir = tempDir('n7');
  const { run, task } = await gated(tower, dir);
  expect(task).toMatchObject({ status: 'awaiting_approval', needs_human: true });
  // The worker is free and takes other work; this it does not get.
  const other = await tower.client.call('createRun', {
    body: { goal: 'x', plan: { tasks: [{ key: 'x', kind: 'command', spec: 'true' }] } },
  });
  await untilEnded(tower, other.run.id);
  expect(existsSync(join(dir, 'ran'))).toBe(false);
  const { items } = await tower.client.call('listAttempts', { params: { id: task.id } });
  expect(items).toEqual([]);

  expect(await baton(tower, 'task', 'approve', task.id)).toMatchObject({ code: 0 });
  const { graph } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect(existsSync(join(dir, 'ran'))).toBe(true);
  const events = await eventsOf(tower, run.id);
  const order = ['checkpoint.opened', 'task.approved', 'attempt.claimed', 'task.completed'];
  const places = order.map((type) => placeOf(events, type));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((x, y) => x - y));
});

test('a no cancels it with the reason, and nothing ever runs', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const dir = tempDir('n7-no');
  const { run, task } = await gated(tower, dir);
  expect(
    await baton(tower, 'task', 'reject', task.id, '--reason', 'not on a Friday'),
  ).toMatchObject({ code: 0 });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('cancelled');
  expect(taskOf(tasks, 'a')).toMatchObject({ status: 'cancelled', reason: 'not on a Friday' });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
});

test('paused while it waits for the yes, it does not run by the yes alone', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const dir = tempDir('n7-paused');
  const { run, task } = await gated(tower, dir);
  await tower.client.tasks.pause(task.id);
  await tower.client.tasks.approve(task.id);
  await until('the approval is kept', async () => {
    const { items } = await tower.client.call('listRunCheckpoints', { params: { id: run.id } });
    return items.every((it) => it.status === 'resolved');
  });
  expect(await tower.client.tasks.get(task.id)).toMatchObject({ status: 'paused' });
  expect(existsSync(join(dir, 'ran'))).toBe(false);
  await tower.client.tasks.resume(task.id);
  expect((await untilEnded(tower, run.id)).graph.run.status).toBe('completed');
});
