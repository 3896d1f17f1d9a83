import { AppError, type Assignment, type Task } from '@baton/contract';
import { createClient, type Client } from '@baton/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { eventsOf } from '../support/run.ts';
import { startTower, until, type Tower } from '../support/tower.ts';

/** A worker that a test plays over plain HTTP. */
interface Played {
  readonly id: string;
  readonly client: Client;
  /** Waits for work and starts it. */
  take(): Promise<Assignment>;
}

/** Joins a worker. One that beats keeps what it takes, however slow the test is. */
async function join(tower: Tower, name: string, beats: boolean): Promise<Played> {
  const { token } = await tower.client.call('createWorkerToken', { body: { name } });
  const { id, key } = await tower.client.call('registerWorker', {
    body: { token, name, slots: 4, capabilities: { engines: ['shell'] } },
  });
  const client = createClient({ baseUrl: tower.url, token: key, retriesMax: 0 });
  return {
    id,
    client,
    async take() {
      let taken: Assignment | undefined;
      await until(`${name} has work`, async () => {
        const { items } = await client.call('claimAttempts', {
          params: { id },
          query: { wait: 5 },
          body: { max: 1 },
        });
        taken = items[0];
        return taken !== undefined;
      });
      if (taken === undefined) throw new Error('no work');
      const { attempt } = taken;
      await client.call('startAttempt', {
        params: { id: attempt.id },
        body: { epoch: attempt.epoch },
      });
      if (beats) keep(client, attempt);
      return taken;
    },
  };
}

function keep(client: Client, { id, epoch }: Assignment['attempt']): void {
  const beat = setInterval(() => {
    // It may have ended meanwhile.
    client.call('heartbeatAttempt', { params: { id }, body: { epoch } }).catch(() => undefined);
  }, 1_000);
  onTestFinished(() => clearInterval(beat));
}

const success = { status: 'success', summary: 'done' } as const;

/** Everything that can be written for an attempt, each with the code that it is refused with. */
async function refusals(worker: Played, { attempt }: Assignment): Promise<Record<string, string>> {
  const { id, epoch } = attempt;
  const params = { id };
  const { client } = worker;
  const writes: Record<string, () => Promise<unknown>> = {
    start: () => client.call('startAttempt', { params, body: { epoch } }),
    heartbeat: () => client.call('heartbeatAttempt', { params, body: { epoch } }),
    progress: () =>
      client.call('progressAttempt', { params, body: { epoch, progress: { text: 'x' } } }),
    log: () =>
      client.call('appendAttemptLog', { params, body: { epoch, offset: 0, data: 'late' } }),
    output: () =>
      client.call('setAttemptOutput', { params, body: { epoch, key: 'x', data: 'late' } }),
    artifact: () =>
      client.call('addAttemptArtifact', {
        params,
        body: { epoch, name: 'late', size: 1, sha256: 'a'.repeat(64) },
      }),
    checkpoint: () =>
      client.call('openAttemptCheckpoint', { params, body: { epoch, question: '?' } }),
    note: () => client.call('noteAttempt', { params, body: { epoch, text: 'late' } }),
    complete: () => client.call('completeAttempt', { params, body: { epoch, result: success } }),
    fail: () => client.call('failAttempt', { params, body: { epoch, reason: 'late' } }),
    release: () => client.call('releaseAttempt', { params, body: { epoch } }),
  };
  const codes: Record<string, string> = {};
  for (const [name, write] of Object.entries(writes)) {
    codes[name] = await write().then(
      () => 'taken',
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );
  }
  return codes;
}

const allStale = {
  start: 'stale_epoch',
  heartbeat: 'stale_epoch',
  progress: 'stale_epoch',
  log: 'stale_epoch',
  output: 'stale_epoch',
  artifact: 'stale_epoch',
  checkpoint: 'stale_epoch',
  note: 'stale_epoch',
  complete: 'stale_epoch',
  fail: 'stale_epoch',
  release: 'stale_epoch',
};

test('leases of an attempt and of its verification expire; whoever comes late is refused everywhere', async () => {
  const tower = await startTower();
  const [old, fresh] = [await join(tower, 'old', false), await join(tower, 'fresh', true)];
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'fenced',
      deliver: 'none',
      plan: {
        tasks: [
          {
            key: 'work',
            kind: 'command',
            spec: 'true',
            lease_seconds: 10,
            outputs: [{ key: 'x', schema: { type: 'string' } }],
            verification: { checks: { commands: ['test -n "$x"'] } },
          },
          { key: 'next', kind: 'command', spec: 'true' },
        ],
        dependencies: [{ upstream: 'work', downstream: 'next', type: 'input', contract_key: 'x' }],
      },
    },
  });
  const taskNow = async (key: string): Promise<Task> => {
    const { tasks } = await tower.client.call('getRunGraph', { params: { id: run.id } });
    const found = tasks.find((it) => it.key === key);
    if (found === undefined) throw new Error(`no task ${key}`);
    return found;
  };
  const told = async (type: string) =>
    (await eventsOf(tower, run.id)).filter((it) => it.type === type);

  // The attempt: its worker is cut off, another one does the work.
  const lost = await old.take();
  await until('the lease is over', async () => (await told('attempt.lost')).length === 1);
  const done = await fresh.take();
  expect(done.attempt.epoch).toBeGreaterThan(lost.attempt.epoch);
  expect(await refusals(old, lost)).toEqual(allStale);
  await fresh.client.call('setAttemptOutput', {
    params: { id: done.attempt.id },
    body: { epoch: done.attempt.epoch, key: 'x', data: 'of the one that holds it' },
  });
  expect((await taskNow('work')).status).toBe('running');
  await fresh.client.call('completeAttempt', {
    params: { id: done.attempt.id },
    body: { epoch: done.attempt.epoch, result: success },
  });

  // The verification: the same, and nothing that was handed in counts meanwhile.
  const stale = await old.take();
  expect(stale.task.key).toMatch(/^check-work-/);
  expect(stale.inputs).toEqual({ x: 'of the one that holds it' });
  await until('its lease is over too', async () => (await told('attempt.lost')).length === 2);
  expect(await taskNow('work')).toMatchObject({
    status: 'verifying',
    verification: { check: 'commands', verdict: null, rejections: 0 },
  });
  expect((await taskNow('next')).status).toBe('blocked');
  const check = await fresh.take();
  expect(check.task.id).toBe(stale.task.id);
  expect(await refusals(old, stale)).toEqual(allStale);
  expect((await taskNow('work')).status).toBe('verifying');
  await fresh.client.call('completeAttempt', {
    params: { id: check.attempt.id },
    body: { epoch: check.attempt.epoch, result: success },
  });
  expect(await taskNow('work')).toMatchObject({
    status: 'completed',
    verification: { verdict: 'accepted', attempt: done.attempt.id },
  });
  expect(await refusals(old, stale)).toEqual(allStale);

  // Each result and each verdict counted once, and what waits got what was accepted.
  const next = await fresh.take();
  expect(next.inputs).toEqual({ x: 'of the one that holds it' });
  for (const type of ['verification.accepted', 'contract.fulfilled']) {
    expect(await told(type)).toHaveLength(1);
  }
  expect(await told('verification.rejected')).toEqual([]);
});
