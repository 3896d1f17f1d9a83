import { expect, test } from 'vitest';
import { joinHttpWorker } from '../support/http-worker.ts';
import { runBaton } from '../support/process.ts';
import { byKey, eventsOf, taskOf } from '../support/run.ts';
import { startTower, type Tower } from '../support/tower.ts';

const baton = (tower: Tower, ...args: readonly string[]) =>
  runBaton([...args, '--json'], { BATON_URL: tower.url, BATON_API_KEY: tower.apiKey });

async function finished(tower: Tower) {
  const worker = await joinHttpWorker(tower, 'dev');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'review me',
      plan: {
        tasks: [
          { key: 'check', kind: 'verify', spec: 'check it' },
          { key: 'ship', kind: 'command', spec: 'ship it', dispatch: 'manual' },
        ],
        dependencies: [{ upstream: 'check', downstream: 'ship', type: 'gate' }],
      },
    },
  });
  const first = await worker.take();
  await first.complete('looks good');
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  const id = taskOf(byKey(graph), 'check').id;
  const stateOf = async (key: string) => {
    const now = await tower.client.call('getRunGraph', { params: { id: run.id } });
    const { status, reason } = taskOf(byKey(now), key);
    return [status, reason];
  };
  const reviews = async () =>
    (await eventsOf(tower, run.id)).filter((event) => event.type === 'task.reviewed');
  return { worker, first, run, id, stateOf, reviews };
}

test('n9: finished work is stamped once however often it is clicked, and the stamp can be taken back', async () => {
  const tower = await startTower();
  const { id, reviews } = await finished(tower);
  const approve = () => baton(tower, 'task', 'review', id, '--approve', '--reason', 'nice');
  const [one, two] = await Promise.all([approve(), approve()]);
  expect([one.code, two.code]).toEqual([0, 0]);
  expect((await tower.client.tasks.get(id)).review).toMatchObject({
    state: 'approved',
    note: 'nice',
    by: expect.stringMatching(/./) as string,
  });
  expect(await reviews()).toHaveLength(1);
  expect(await baton(tower, 'task', 'review', id, '--reset')).toMatchObject({ code: 0 });
  expect((await tower.client.tasks.get(id)).review).toMatchObject({ state: 'none', by: null });
  const [, both] = await Promise.all([
    reviews(),
    baton(tower, 'task', 'review', id, '--approve', '--reject'),
  ]);
  expect(both.code).not.toBe(0);
});

test('rejected work holds what waits behind its gate, until the rejection is taken back', async () => {
  const tower = await startTower();
  const { id, stateOf, run } = await finished(tower);
  expect(await stateOf('ship')).toEqual(['ready', 'waiting_for_assignment']);
  expect(await baton(tower, 'task', 'review', id, '--reject', '--reason', 'no')).toMatchObject({
    code: 0,
  });
  expect(await stateOf('ship')).toEqual(['skipped', 'gate_failed:check']);
  expect(await baton(tower, 'task', 'review', id, '--reset')).toMatchObject({ code: 0 });
  expect(await stateOf('ship')).toEqual(['ready', 'waiting_for_assignment']);
  expect((await tower.client.runs.get(run.id)).status).toBe('waiting');
});

test('changes asked for go to the same conversation, as feedback, in a new generation', async () => {
  const tower = await startTower();
  const { id, worker, first } = await finished(tower);
  const asked = await baton(tower, 'task', 'review', id, '--changes', 'Paging is missing.');
  expect(asked.code).toBe(0);
  const again = await worker.take();
  expect(again.task).toBe(id);
  const assignment = await again.client.attempts.assignment(again.id);
  expect(assignment).toMatchObject({
    attempt: { generation: 2, number: 1 },
    feedback: 'Paging is missing.',
    continue: { attempt: first.id, wake: { kind: 'feedback', text: 'Paging is missing.' } },
  });
  await again.complete('with paging');
  const task = await tower.client.tasks.get(id);
  expect(task).toMatchObject({
    status: 'completed',
    generation: 2,
    result: { summary: 'with paging' },
    review: { state: 'changes_requested' },
  });
});
