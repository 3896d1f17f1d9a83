import type { Stats, Task, TaskWaitReply } from '@baton/contract';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBaton } from '../support/process.ts';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

test('p1: an agent hands work on; it is listed by parent, waited for, and counted while it runs', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '4']);
  const gates = tempDir('p1');
  const gate = (name: string): string => join(gates, name);
  const until_ = (name: string): string => `while [ ! -e ${gate(name)} ]; do sleep 0.1; done`;
  const child = (name: string): string =>
    `baton task progress "half of ${name}" --percent 50; ${until_(name)}; baton task done "did ${name}"`;
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'delegate',
      plan: {
        tasks: [
          {
            key: 'lead',
            kind: 'command',
            spec: [
              'set -e',
              `baton task spawn '${child('a')}' --key a`,
              `baton task spawn '${child('b')}' --id p1-b --key b`,
              `baton task spawn '${child('b')}' --id p1-b --key b`,
              'baton task children --json > children.json',
              'baton task wait a p1-b --any --json > any.json',
              'baton task wait a p1-b --json > all.json',
              'cat children.json any.json all.json',
              'baton task done "both done"',
            ].join('\n'),
          },
        ],
      },
    },
  });
  const baton = async <T>(...args: string[]): Promise<T> => {
    const env = { BATON_URL: tower.url, BATON_API_KEY: tower.apiKey };
    const ran = await runBaton([...args, '--json'], env);
    if (ran.stdout === '') throw new Error(ran.stderr);
    return JSON.parse(ran.stdout) as T;
  };
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  const lead = graph.tasks[0] as Task;

  await until('both children run, and say how far they are', async () => {
    const { running } = await baton<Stats>('stats');
    const halves = running.filter(({ progress }) => progress?.percent === 50);
    return (
      halves
        .map(({ key }) => key)
        .toSorted()
        .join() === 'a,b'
    );
  });
  const listed = await baton<{ items: Task[] }>('task', 'list', '--parent', lead.id);
  expect(listed.items.map(({ key }) => key).toSorted()).toEqual(['a', 'b']);
  const children = await baton<{ items: Task[] }>('task', 'children', lead.id);
  expect(children.items.map(({ id }) => id)).toEqual(listed.items.map(({ id }) => id));
  for (const item of listed.items) {
    expect(item).toMatchObject({
      parent_task: lead.id,
      run: run.id,
      depth: 1,
      lineage_root: run.id,
    });
  }
  const a = taskOf(Object.fromEntries(listed.items.map((it) => [it.key, it])), 'a');
  const early = await baton<TaskWaitReply>('task', 'wait', a.id, 'p1-b', '--timeout', '0.2');
  expect(early).toMatchObject({ met: false, ended: 0 });
  expect(early.tasks.map(({ status }) => status)).toEqual(['running', 'running']);

  writeFileSync(gate('b'), '');
  const any = await baton<TaskWaitReply>('task', 'wait', a.id, 'p1-b', '--any');
  expect(any).toMatchObject({ met: true, ended: 1 });
  expect((await tower.client.runs.get(run.id)).status).toBe('running');
  writeFileSync(gate('a'), '');
  const all = await baton<TaskWaitReply>('task', 'wait', a.id, 'p1-b');
  expect(all.tasks.map(({ result }) => result?.summary)).toEqual(['did a', 'did b']);

  const { graph: after } = await untilEnded(tower, run.id);
  expect(after.run.status).toBe('completed');
  expect(after.tasks).toHaveLength(3);
  expect(after.dependencies).toEqual([]);
  const said = (await stdoutOf(tower, lead.id)).split('\n').filter((line) => line.startsWith('{'));
  const [own, first, both] = said.map(
    (line) => JSON.parse(line) as TaskWaitReply & { items: Task[] },
  );
  expect(own?.items.map(({ key }) => key).toSorted()).toEqual(['a', 'b']);
  expect(first).toMatchObject({ met: true, needed: 1 });
  expect(both).toMatchObject({ met: true, ended: 2 });
  const created = (await eventsOf(tower, run.id)).filter(({ type }) => type === 'task.created');
  expect(created.filter(({ data }) => data['parent'] === lead.id)).toHaveLength(2);
});
