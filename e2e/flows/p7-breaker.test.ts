import { expect, test } from 'vitest';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower } from '../support/tower.ts';

test('p7: three failures in a row trip the breaker; force overrides and is on record', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '2']);
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'flaky',
      plan: {
        tasks: [
          {
            key: 'lead',
            kind: 'command',
            spec: [
              'for key in flaky flaky-2 flaky-3; do',
              '  baton task spawn "exit 3" --key flaky || exit 1',
              '  baton task wait $key; echo "waited $?"',
              'done',
              'baton task spawn "exit 3" --key flaky 2>&1; echo "refused $?"',
              'baton task spawn "exit 3" --key other || exit 1',
              'baton task wait other',
              'baton task spawn "exit 0" --key flaky --force || exit 1',
              'baton task wait flaky-4; echo "waited $?"',
              'baton task spawn "exit 0" --key flaky 2>&1; echo "again $?"',
              'baton task done "gave up on nothing"',
            ].join('\n'),
          },
        ],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  // Three tasks of it failed, as they were meant to.
  expect(graph.run.status).toBe('failed');
  const lead = taskOf(tasks, 'lead');
  expect(lead).toMatchObject({ status: 'completed', result: { summary: 'gave up on nothing' } });
  const said = await stdoutOf(tower, lead.id);
  expect(said.match(/^(waited|refused|again) .*$/gm)).toEqual([
    'waited 1',
    'waited 1',
    'waited 1',
    'refused 5',
    'waited 0',
    'again 5',
  ]);
  expect(said).toContain('breaker_tripped');
  expect(said).toContain('recent_success');
  expect(taskOf(tasks, 'flaky-3')).toMatchObject({
    status: 'failed',
    rerun_of: taskOf(tasks, 'flaky-2').id,
    parent_task: lead.id,
  });
  expect(taskOf(tasks, 'flaky-4').status).toBe('completed');

  const events = await eventsOf(tower, run.id);
  const ofType = (type: string) => events.filter((it) => it.type === type);
  expect(ofType('task.breaker_tripped')).toMatchObject([
    { task: taskOf(tasks, 'flaky-3').id, data: { chain: 'key:flaky', failures: 3 } },
  ]);
  expect(ofType('task.respawn_refused').map(({ data }) => data['code'])).toEqual([
    'breaker_tripped',
    'recent_success',
  ]);
  expect(ofType('task.respawn_forced')).toMatchObject([{ data: { code: 'breaker_tripped' } }]);
  const counted = await tower.client.call('getDelegationStats', {});
  expect(counted).toMatchObject({
    spawned: 5,
    breaker_trips: 1,
    respawns_forced: 1,
    respawn_refusals: { breaker_tripped: 1, recent_success: 1 },
  });
});
