import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning, untilPid } from '../support/processes.ts';
import { byKey, eventsOf, placeOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

/** Asks and ends; started again, it says what it was told. */
const asks = (flags: string, pidFile: string): string =>
  [
    'if [ -e "$BATON_WAKE" ]; then cat "$BATON_WAKE"; else',
    `echo $$ > ${pidFile};`,
    `baton task ask "Which way?" --option left --option right --end-turn ${flags}; fi`,
  ].join(' ');

test('m6: a checkpoint times out while nobody is there, its default action is taken, and the task goes on by itself', async () => {
  const dir = tempDir('pids');
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '3']);
  const command = (key: string, flags: string) => ({
    key,
    kind: 'command' as const,
    spec: asks(flags, join(dir, key)),
  });
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'which way',
      plan: {
        tasks: [
          command('default', '--default right --timeout 30'),
          command('fail', '--on-timeout fail --timeout 30'),
          command('wait', '--on-timeout keep_waiting --timeout 5'),
        ],
      },
    },
  });
  const open = async () =>
    (await tower.client.call('listCheckpoints', { query: { run: run.id } })).items;
  // By the feed: on a slow machine the first question may be over before the last one is asked.
  await until('all three have asked, and their attempts have ended', async () => {
    const types = (await eventsOf(tower, run.id)).map(({ type }) => type);
    const count = (wanted: string): number => types.filter((type) => type === wanted).length;
    return count('checkpoint.opened') === 3 && count('attempt.released') === 3;
  });
  for (const key of ['default', 'fail', 'wait']) {
    expect(isRunning(await untilPid(join(dir, key)))).toBe(false);
  }
  // The deadline is the control plane's, and outlives it.
  await tower.kill();
  await tower.restart();
  const now = async (key: string) =>
    taskOf(byKey(await tower.client.call('getRunGraph', { params: { id: run.id } })), key);
  await until('the default has decided', async () => (await now('default')).status === 'completed');
  await until('the other has failed', async () => (await now('fail')).status === 'failed');
  expect(await now('fail')).toMatchObject({
    failure_class: 'timeout',
    reason: 'nobody answered in time',
  });
  const told = JSON.parse(await stdoutOf(tower, (await now('default')).id)) as object;
  expect(told).toMatchObject({ kind: 'answer', answer: 'right', timed_out: true, by: 'timeout' });
  expect(await now('wait')).toMatchObject({ status: 'waiting', needs_human: true });
  const [waiting] = await open();
  expect(waiting).toMatchObject({ task_key: 'wait', status: 'open', on_timeout: 'keep_waiting' });

  await tower.client.call('resolveCheckpoint', {
    params: { id: waiting?.id ?? '' },
    body: { option: 'left' },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run).toMatchObject({ status: 'failed', reason: 'task_failed:fail' });
  expect(JSON.parse(await stdoutOf(tower, taskOf(tasks, 'wait').id))).toMatchObject({
    answer: 'left',
    timed_out: false,
  });
  const events = await eventsOf(tower, run.id);
  const { id } = taskOf(tasks, 'default');
  const order = [
    'checkpoint.opened',
    'attempt.stopping',
    'task.needs_human',
    'attempt.released',
    'checkpoint.timed_out',
    'task.resumed',
    'task.ready',
    'task.completed',
  ];
  const from = placeOf(events, 'checkpoint.opened', id);
  const places = order.map((type) => placeOf(events.slice(from), type, id));
  expect(places).toEqual(places.toSorted((x, y) => x - y));
  expect(places).not.toContain(-1);
});
