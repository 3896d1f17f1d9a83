import { expect, test } from 'vitest';
import { eventsOf, placeOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, until } from '../support/tower.ts';
import { runBaton } from '../support/process.ts';

test('o4: an agent asks, a person answers, and the same agent goes on with the answer', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'auth',
      plan: {
        tasks: [
          {
            key: 'auth',
            kind: 'command',
            spec: 'echo "pid $$"; answer=$(baton task ask "JWT or session cookies?" --option JWT --option cookies); echo "chose $answer"; echo "pid $$"',
          },
        ],
      },
    },
  });
  let open: { id: string; question: string } | undefined;
  await until('the question is in the inbox', async () => {
    const { items } = await tower.client.call('listCheckpoints', {});
    open = items[0];
    return open !== undefined;
  });
  expect(open?.question).toBe('JWT or session cookies?');
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  expect(graph.tasks[0]).toMatchObject({ status: 'waiting', needs_human: true });
  expect(graph.run).toMatchObject({ status: 'waiting', needs_human: 1 });

  const refused = await runBaton(['inbox', 'answer', open?.id ?? '', 'basic auth', '--json'], {
    BATON_URL: tower.url,
    BATON_API_KEY: tower.apiKey,
  });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('invalid_option');
  const answered = await runBaton(['inbox', 'answer', open?.id ?? '', 'JWT', '--json'], {
    BATON_URL: tower.url,
    BATON_API_KEY: tower.apiKey,
  });
  expect(answered).toMatchObject({ code: 0 });

  const { graph: after, tasks } = await untilEnded(tower, run.id);
  expect(after.run.status).toBe('completed');
  const task = taskOf(tasks, 'auth');
  expect(task.attempt_count).toBe(1);
  const out = await stdoutOf(tower, task.id);
  const [before, chose, later] = out.trim().split('\n');
  expect(chose).toBe('chose JWT');
  expect(later).toBe(before);

  const decided = await tower.client.call('getCheckpoint', { params: { id: open?.id ?? '' } });
  expect(decided).toMatchObject({
    status: 'resolved',
    resolution: { option: 'JWT', via: 'cli', by: expect.stringMatching(/./) as string },
  });
  const again = await runBaton(['inbox', 'answer', open?.id ?? '', 'cookies', '--json'], {
    BATON_URL: tower.url,
    BATON_API_KEY: tower.apiKey,
  });
  expect(again.stderr).toContain('checkpoint_closed');
  expect(again.stderr).toContain('JWT');

  const events = await eventsOf(tower, run.id);
  const order = [
    'checkpoint.opened',
    'task.needs_human',
    'checkpoint.resolved',
    'task.resumed',
    'task.completed',
  ];
  const places = order.map((type) => placeOf(events, type));
  expect(places).toEqual(places.toSorted((x, y) => x - y));
  expect(places).not.toContain(-1);
});

test('a question with a deadline takes its default when nobody answers', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'auth',
      plan: {
        tasks: [
          {
            key: 'auth',
            kind: 'command',
            spec: 'baton task ask "Which?" --option left --option right --default right --timeout 1',
          },
        ],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect((await stdoutOf(tower, taskOf(tasks, 'auth').id)).trim()).toBe('right');
  const { items } = await tower.client.call('listRunCheckpoints', { params: { id: run.id } });
  expect(items[0]).toMatchObject({
    status: 'timed_out',
    resolution: { option: 'right', use_default: true, by: 'timeout' },
  });
});
