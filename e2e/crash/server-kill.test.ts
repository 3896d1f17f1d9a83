import { freshDatabases, type FreshDatabase } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsOf, stdoutOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower } from '../support/tower.ts';

const runsWanted = 12;
const runsMax = 30;
const killsMin = 5;
/** Where a start takes long, fewer kills have to do. */
const killingMsMax = 120_000;

/** Three tasks: a contract passes down, and the middle one writes numbered lines for a while. */
const chain = {
  tasks: [
    {
      key: 'first',
      kind: 'command' as const,
      spec: `baton task output set n --json 7 && echo ok`,
      outputs: [{ key: 'n', schema: { type: 'integer' } }],
    },
    {
      key: 'middle',
      kind: 'command' as const,
      spec: 'for i in $(seq 1 200); do echo "line $i"; sleep 0.01; done',
    },
    { key: 'last', kind: 'command' as const, spec: 'cat .baton/inputs/n.json' },
  ],
  dependencies: [
    { upstream: 'first', downstream: 'last', type: 'input' as const, contract_key: 'n' },
    { upstream: 'first', downstream: 'middle' },
    { upstream: 'middle', downstream: 'last' },
  ],
};

const lines = `${Array.from({ length: 200 }, (_, index) => `line ${index + 1}`).join('\n')}\n`;

describe.each(freshDatabases())('$title', (database) => {
  test.skipIf(database.isSkipped)(
    'kill -9 of the server, again and again under load: nothing acknowledged is lost, nothing is doubled',
    () => killUnderLoad(database),
  );
});

async function killUnderLoad(database: FreshDatabase): Promise<void> {
  const isServer = database.name === 'postgres';
  const opened = isServer ? await database.open({ isMigrated: false, isDurable: true }) : undefined;
  onTestFinished(() => opened?.close());
  const tower = await startTower({ databaseUrl: opened?.location });
  await startFleetWorker(tower, 'w1', ['--slots', '3']);
  await startFleetWorker(tower, 'w2', ['--slots', '3']);

  const acknowledged: string[] = [];
  let isKilling = true;
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const submitting = (async () => {
    // A machine on which a start takes long must not be left with more work than it can do.
    for (let sent = 0; acknowledged.length < runsWanted || (isKilling && sent < runsMax); sent++) {
      try {
        const { run } = await tower.client.call('createRun', {
          body: { goal: `run ${sent}`, plan: chain },
          idempotencyKey: `run-${sent}`,
        });
        acknowledged.push(run.id);
      } catch (error) {
        // Not acknowledged: it may be there or not, but it is not counted.
        if (isOver) throw error;
      }
      await sleep(400);
    }
  })();
  // Told by whoever waits for it.
  submitting.catch(() => undefined);
  // Half of them are enough for what both databases share.
  const kills = isServer ? 10 : 20;
  const enoughAtMs = Date.now() + killingMsMax;
  for (let kill = 0; kill < kills; kill++) {
    if (kill >= killsMin && Date.now() > enoughAtMs) break;
    // Any moment will do; an odd rhythm meets more of them.
    await sleep(300 + ((kill * 137) % 700));
    await tower.restart();
  }
  isKilling = false;
  await submitting;

  expect(acknowledged.length).toBeGreaterThanOrEqual(runsWanted);
  for (const id of acknowledged) {
    const { graph } = await untilEnded(tower, id);
    expect(graph.run.status).toBe('completed');
    const events = await eventsOf(tower, id);
    expect(events.map((event) => event.run_seq)).toEqual(events.map((_, index) => index + 1));
    for (const task of graph.tasks) {
      const own = events.filter((event) => event.task === task.id).map((event) => event.type);
      expect(own.filter((type) => type === 'task.completed')).toHaveLength(1);
      expect(own.filter((type) => type === 'attempt.lost')).toHaveLength(0);
      expect(own.filter((type) => type === 'attempt.claimed')).toHaveLength(1);
    }
    const middle = graph.tasks.find((task) => task.key === 'middle');
    expect(await stdoutOf(tower, middle?.id ?? '')).toBe(lines);
  }
}
