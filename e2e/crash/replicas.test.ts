import { expect, test } from 'vitest';
import { isRunning } from '../support/processes.ts';
import { postgresBin, startOwnPostgres } from '../support/own-postgres.ts';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startRelay } from '../support/relay.ts';
import { startFleetWorker, startTower, until, type Tower } from '../support/tower.ts';

/** Two control planes on one database, and one worker that is linked to the second. */
async function startReplicas() {
  const { url: databaseUrl } = await startOwnPostgres();
  const balancer = await startRelay();
  const one = await startTower({ databaseUrl });
  const two = await startTower({ databaseUrl, beside: one });
  // The ports are known now; the worker names the address of both.
  for (const it of [one, two]) await it.restart(['--public-url', balancer.url]);
  balancer.to(two.url);
  const publicTower = Object.create(one, { url: { value: balancer.url } }) as Tower;
  await startFleetWorker(publicTower, 'far', ['--slots', '2']);
  return { one, two, balancer };
}

async function runAt(tower: Tower, spec: string): Promise<string> {
  const tasks = [{ key: 'work', kind: 'command' as const, spec }];
  const { run } = await tower.client.call('createRun', {
    body: { goal: 'on the worker of the other', plan: { tasks } },
  });
  return run.id;
}

/** Text that the task of a run has written so far. */
async function outputOf(tower: Tower, run: string): Promise<string> {
  const { tasks } = await tower.client.call('getRunGraph', { params: { id: run } });
  return tasks[0] === undefined ? '' : stdoutOf(tower, tasks[0].id);
}

test.skipIf(postgresBin === undefined)(
  'what people do at one control plane reaches agents on a worker of the other, and its death loses nothing',
  { timeout: 480_000 },
  async () => {
    const { one, two, balancer } = await startReplicas();

    // Nothing asks for this answer again: it comes over the link of the other one, or never.
    const asking = await runAt(
      one,
      'answer=$(baton task ask "Which?" --option a --option b); echo "chose $answer"',
    );
    let question: string | undefined;
    await until('the question is in the inbox', async () => {
      const { items } = await one.client.call('listCheckpoints', {});
      question = items[0]?.id;
      return question !== undefined;
    });
    await one.client.call('resolveCheckpoint', {
      params: { id: question ?? '' },
      body: { option: 'b' },
    });
    const answered = await untilEnded(two, asking);
    expect(answered.graph.run.status).toBe('completed');
    expect((await stdoutOf(one, taskOf(answered.tasks, 'work').id)).trim()).toBe('chose b');

    const endless = await runAt(one, 'echo "pid $$"; sleep 600');
    let pid = 0;
    await until('the agent runs', async () => {
      pid = Number(/^pid (\d+)$/m.exec(await outputOf(one, endless))?.[1] ?? 0);
      return pid > 0;
    });
    expect(isRunning(pid)).toBe(true);
    await one.client.call('cancelRun', { params: { id: endless }, body: {} });
    expect((await untilEnded(one, endless)).graph.run.status).toBe('cancelled');
    await until('the agent is gone', () => !isRunning(pid));

    // It goes on until it is told to, so that the kill comes in the middle of it.
    const survivor = await runAt(
      one,
      'for i in $(seq 1 50); do echo "line $i"; done; answer=$(baton task ask "Go on?" --option yes); echo "heard $answer"; for i in $(seq 51 100); do echo "line $i"; done',
    );
    await until('it asks', async () => {
      const { items } = await one.client.call('listCheckpoints', {});
      question = items.find((it) => it.run === survivor && it.status === 'open')?.id;
      return question !== undefined;
    });
    balancer.to(one.url);
    await two.kill();
    await one.client.call('resolveCheckpoint', {
      params: { id: question ?? '' },
      body: { option: 'yes' },
    });
    const later = await runAt(one, 'echo later');
    for (const run of [survivor, later]) {
      const { graph, tasks } = await untilEnded(one, run);
      expect(graph.run.status).toBe('completed');
      expect(taskOf(tasks, 'work').attempt_count).toBe(1);
    }
    const lines = (await outputOf(one, survivor)).trim().split('\n');
    const numbered = (from: number) =>
      Array.from({ length: 50 }, (_, index) => `line ${from + index}`);
    expect(lines).toEqual([...numbered(1), 'heard yes', ...numbered(51)]);
    const { items: workers } = await one.client.call('listWorkers', {});
    expect(workers.map(({ name }) => name)).toEqual(['far']);

    // The one that died comes back to what it left, and to what came since.
    await two.restart();
    for (const run of [asking, endless, survivor, later]) {
      const [here, there] = [await eventsOf(one, run), await eventsOf(two, run)];
      expect(there).toEqual(here);
      expect(here.map((it) => it.run_seq)).toEqual(here.map((_, index) => index + 1));
    }
  },
);
