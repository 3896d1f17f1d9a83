import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@baton/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning, parentOf, textOf, untilPid } from '../support/processes.ts';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

const leaseSeconds = 10;
/** How long after the lease its task runs again at most; with room for a busy machine. */
const againWithinMs = 60_000;

test('a worker frozen past its lease: another one takes over, and the first can do nothing more', async () => {
  const dir = tempDir('frozen');
  const tower = await startTower();
  const first = await startFleetWorker(tower, 'first');
  const spec =
    `echo $$ > ${dir}/$BATON_WORKER; echo "$BATON_WORKER is at it"; ` +
    `while [ ! -e ${dir}/go ]; do sleep 0.1; done; echo "$BATON_WORKER is done"`;
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'outlive a worker',
      plan: { tasks: [{ key: 'work', kind: 'command', spec, lease_seconds: leaseSeconds }] },
    },
  });
  const agent = await untilPid(join(dir, 'first'));
  const second = await startFleetWorker(tower, 'second');
  const daemon = first.process.child.pid;
  if (daemon === undefined) throw new Error('no daemon');
  const frozen = [daemon, parentOf(agent)];
  const thaw = (): void => {
    for (const pid of frozen) if (isRunning(pid)) process.kill(pid, 'SIGCONT');
  };
  onTestFinished(thaw);
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  await until(
    'the second agent runs',
    () => textOf(join(dir, 'second')) !== '',
    leaseSeconds * 1_000 + againWithinMs,
  );

  thaw();
  await until('the agent of the first is gone', () => !isRunning(agent));
  writeFileSync(join(dir, 'go'), '');
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  const task = taskOf(tasks, 'work');
  expect(await stdoutOf(tower, task.id)).toBe('second is at it\nsecond is done\n');
  const events = await eventsOf(tower, run.id);
  const claims = events.filter((event) => event.type === 'attempt.claimed');
  expect(claims.map((event) => event.data['worker_name'])).toEqual(['first', 'second']);
  expect(Number(claims[1]?.data['epoch'])).toBeGreaterThan(Number(claims[0]?.data['epoch']));
  expect(events.filter((event) => event.type === 'attempt.lost')).toHaveLength(1);
  expect(second.process.child.exitCode).toBeNull();
});

test('the control plane is away for longer than every lease: nothing is taken from anybody', async () => {
  const tower = await startTower();
  const { token } = await tower.client.call('createWorkerToken', { body: { name: 'many' } });
  const joined = await tower.client.call('registerWorker', {
    body: { token, name: 'many', slots: 12, capabilities: { engines: ['shell'] } },
  });
  const worker = createClient({ baseUrl: tower.url, token: joined.key, retriesMax: 8 });
  const params = { id: joined.id };
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'hold',
      plan: {
        tasks: Array.from({ length: 12 }, (_, index) => ({
          key: `t${index}`,
          kind: 'command' as const,
          spec: 'true',
          lease_seconds: leaseSeconds,
        })),
      },
    },
  });
  const { items } = await worker.call('claimAttempts', {
    params,
    query: { wait: 10 },
    body: { max: 12 },
  });
  expect(items).toHaveLength(12);
  const attempts = items.map(({ attempt }) => ({ id: attempt.id, epoch: attempt.epoch }));
  await Promise.all(
    attempts.map(({ id, epoch }) =>
      worker.call('startAttempt', { params: { id }, body: { epoch } }),
    ),
  );
  await tower.kill();
  // By the clock of the database all of them are over by now.
  await sleep((leaseSeconds + 2) * 1_000);
  await tower.restart();
  // The worker comes back late, but within the grace.
  await sleep(3_000);
  expect(await worker.call('heartbeatWorker', { params, body: { attempts } })).toMatchObject({
    cancel: [],
    stale: [],
  });
  await Promise.all(
    attempts.map(({ id, epoch }) =>
      worker.call('completeAttempt', {
        params: { id },
        body: { epoch, result: { status: 'success', summary: '' } },
      }),
    ),
  );
  expect((await untilEnded(tower, run.id)).graph.run.status).toBe('completed');
  const types = (await eventsOf(tower, run.id)).map((event) => event.type);
  expect(types).not.toContain('attempt.lost');
  expect(types.filter((type) => type === 'attempt.claimed')).toHaveLength(12);
});
