import type { AwaitResult, Task } from '@baton/contract';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { textOf } from '../support/processes.ts';
import { eventsOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from '../support/tower.ts';

interface Wake {
  readonly kind: string;
  readonly partial: boolean;
  readonly results: readonly AwaitResult[];
}

/** A script that hands on `a`, `b` and `c`, which end when their gates open, and awaits them so. */
function delegator(dir: string, name: string, how: string): string {
  const child = (key: string): string =>
    `while [ ! -e ${join(dir, key)} ]; do sleep 0.1; done; baton task done "did ${key}"`;
  return [
    'set -e',
    `echo turn >> ${join(dir, `${name}.turns`)}`,
    'if [ -n "${BATON_WAKE:-}" ]; then',
    `  cp "$BATON_WAKE" ${join(dir, `${name}.wake.part`)}`,
    `  mv ${join(dir, `${name}.wake.part`)} ${join(dir, `${name}.wake`)}`,
    '  cat left-behind',
    '  baton task done "resumed"',
    '  exit 0',
    'fi',
    'echo "from before" > left-behind',
    ...['a', 'b', 'c'].map(
      (key) => `baton task spawn '${child(`${name}-${key}`)}' --key ${name}-${key}`,
    ),
    `baton task await ${how} | tee ${join(dir, `${name}.said`)}`,
  ].join('\n');
}

async function delegate(tower: Tower, dir: string, name: string, how: string) {
  const { run, tasks } = await tower.client.call('createRun', {
    body: {
      goal: name,
      plan: { tasks: [{ key: name, kind: 'command', spec: delegator(dir, name, how) }] },
    },
  });
  return { run: run.id, lead: (tasks[0] as Task).id };
}
const read = (dir: string, file: string): string => readFileSync(join(dir, file), 'utf8');
const wakeOf = (dir: string, name: string): Wake => JSON.parse(read(dir, `${name}.wake`)) as Wake;
const statusOf = async (tower: Tower, task: string) => {
  const { status, reason } = await tower.client.tasks.get(task);
  return `${status} ${reason ?? ''}`.trim();
};
const open = (dir: string, ...gates: string[]): void => {
  for (const gate of gates) writeFileSync(join(dir, gate), '');
};

test('p5: an agent awaits all its children; server and worker restart in between; it is resumed once with everything', async () => {
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'dev', ['--slots', '3']);
  const dir = tempDir('p5');
  const { run, lead } = await delegate(tower, dir, 'all', '');

  await until('the agent awaits, and its three children have all three slots', async () => {
    const { tasks } = await tower.client.call('getRunGraph', { params: { id: run } });
    const running = tasks.filter(({ status }) => status === 'running');
    return running.length === 3 && (await statusOf(tower, lead)) === 'waiting await';
  });
  // The control plane answers first, the agent's program prints later.
  await until('the agent was told to end its turn', () =>
    textOf(join(dir, 'all.said')).includes('End your turn now'),
  );
  open(dir, 'all-a');
  await until('a has ended', async () => {
    const { tasks } = await tower.client.call('getRunGraph', { params: { id: run } });
    return tasks.some(({ key, status }) => key === 'all-a' && status === 'completed');
  });

  await tower.kill();
  await worker.kill();
  await tower.restart();
  await worker.restart();
  expect(await statusOf(tower, lead)).toBe('waiting await');
  open(dir, 'all-b', 'all-c');

  const { graph, tasks } = await untilEnded(tower, run);
  expect(graph.run.status).toBe('completed');
  expect(taskOf(tasks, 'all')).toMatchObject({ attempt_count: 1, result: { summary: 'resumed' } });
  expect(read(dir, 'all.turns')).toBe('turn\nturn\n');
  const wake = wakeOf(dir, 'all');
  expect(wake).toMatchObject({ kind: 'await', partial: false });
  expect(wake.results.map(({ key, status, summary }) => [key, status, summary])).toEqual(
    ['a', 'b', 'c'].map((key) => [`all-${key}`, 'completed', `did all-${key}`]),
  );
  const events = await eventsOf(tower, run);
  expect(events.filter(({ type }) => type === 'task.woken')).toHaveLength(1);
  const { items } = await tower.client.call('listAwaits', { params: { id: lead } });
  expect(items).toMatchObject([{ status: 'met', partial: false, needed: 3 }]);
});

test('p5: any, a quorum and a deadline; a turn that was met at once goes on', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '12']);
  const dir = tempDir('p5');
  const any = await delegate(tower, dir, 'any', '--any');
  const quorum = await delegate(tower, dir, 'quorum', '--quorum 2');
  const late = await delegate(tower, dir, 'late', '--timeout 3');
  await until('both await', async () => {
    const waiting = await Promise.all([any, quorum].map(({ lead }) => statusOf(tower, lead)));
    return waiting.every((it) => it === 'waiting await');
  });

  open(dir, 'any-b');
  await until('any is resumed', () => existsSync(join(dir, 'any.wake')));
  const ended = ({ results }: Wake): string[] =>
    results.filter(({ status }) => status === 'completed').map(({ key }) => key);
  expect(ended(wakeOf(dir, 'any'))).toEqual(['any-b']);
  expect(wakeOf(dir, 'any').partial).toBe(false);

  open(dir, 'quorum-a');
  await until('one of the quorum has ended', async () => {
    const { tasks } = await tower.client.call('getRunGraph', { params: { id: quorum.run } });
    return tasks.some(({ key, status }) => key === 'quorum-a' && status === 'completed');
  });
  expect(await statusOf(tower, quorum.lead)).toBe('waiting await');
  open(dir, 'quorum-c');
  await until('the quorum is resumed', () => existsSync(join(dir, 'quorum.wake')));
  expect(ended(wakeOf(dir, 'quorum'))).toEqual(['quorum-a', 'quorum-c']);

  await until('the deadline resumes', () => existsSync(join(dir, 'late.wake')));
  expect(wakeOf(dir, 'late')).toMatchObject({ partial: true });
  expect(ended(wakeOf(dir, 'late'))).toEqual([]);

  open(dir, 'any-a', 'any-c', 'quorum-b', 'late-a', 'late-b', 'late-c');
  for (const { run } of [any, quorum, late]) {
    expect((await untilEnded(tower, run)).graph.run.status).toBe('completed');
  }
  const { resurrections, awaits } = await tower.client.call('getDelegationStats', {});
  expect({ resurrections, awaits }).toEqual({ resurrections: 3, awaits: { met: 2, expired: 1 } });

  const atOnce = await tower.client.call('createRun', {
    body: {
      goal: 'at once',
      plan: {
        tasks: [
          {
            key: 'lead',
            kind: 'command',
            spec: 'baton task spawn "exit 0" --key quick && baton task wait quick && baton task await quick && baton task done "same turn"',
          },
        ],
      },
    },
  });
  const { tasks } = await untilEnded(tower, atOnce.run.id);
  expect(taskOf(tasks, 'lead').result?.summary).toBe('same turn');
});
