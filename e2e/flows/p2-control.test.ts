import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBaton } from '../support/process.ts';
import { isRunning, textOf } from '../support/processes.ts';
import { byKey, eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from '../support/tower.ts';

/** A task that runs until the test lets it go, and tells its process id each time it starts. */
function patient(dir: string): string {
  return `echo started; echo $$ >> ${dir}/pids; until [ -e ${dir}/go ]; do sleep 0.1; done; echo done`;
}

function pids(dir: string): number[] {
  return textOf(join(dir, 'pids')).split('\n').slice(0, -1).map(Number);
}

/** Waits for the n-th process of the task; answers its id. */
async function untilStarted(dir: string, count: number): Promise<number> {
  await until(`process ${count} has started`, () => pids(dir).length >= count);
  return pids(dir)[count - 1] ?? 0;
}

const baton = (tower: Tower, ...args: readonly string[]) =>
  runBaton([...args, '--json'], { BATON_URL: tower.url, BATON_API_KEY: tower.apiKey });

async function act(tower: Tower, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await baton(tower, ...args);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('p2: a task is paused, resumed, relaunched and retried under its one id', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '2']);
  const dir = tempDir('p2');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'control',
      plan: {
        tasks: [
          { key: 'a', kind: 'command', spec: patient(dir) },
          { key: 'b', kind: 'command', spec: 'echo after' },
        ],
        dependencies: [{ upstream: 'a', downstream: 'b' }],
      },
    },
  });
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  const { id } = taskOf(byKey(graph), 'a');

  const first = await untilStarted(dir, 1);
  expect(await act(tower, 'task', 'pause', id, '--reason', 'lunch')).toMatchObject({
    id,
    status: 'paused',
    reason: 'lunch',
  });
  await until('its process is gone', () => !isRunning(first));
  expect((await tower.client.call('getRun', { params: { id: run.id } })).status).toBe('waiting');

  expect(await act(tower, 'task', 'resume', id)).toMatchObject({ id, generation: 1 });
  const second = await untilStarted(dir, 2);
  await until('the next attempt runs, and the one before it is closed', async () => {
    const { items } = await tower.client.call('listAttempts', { params: { id } });
    return items.map((it) => it.status).join() === 'running,released';
  });

  expect(await act(tower, 'task', 'relaunch', id, '--reason', 'wrong way')).toMatchObject({
    id,
    generation: 2,
  });
  const third = await untilStarted(dir, 3);
  await until('the process before it is gone', () => !isRunning(second));
  expect(isRunning(third)).toBe(true);

  writeFileSync(join(dir, 'go'), '');
  const { graph: ended, tasks } = await untilEnded(tower, run.id);
  expect(ended.run.status).toBe('completed');
  expect(taskOf(tasks, 'a')).toMatchObject({ id, generation: 2, attempt_count: 1 });

  expect(await act(tower, 'task', 'retry', id)).toMatchObject({ id, generation: 3 });
  await until('it has ended again', async () => {
    const task = await tower.client.call('getTask', { params: { id } });
    return task.status === 'completed' && task.generation === 3;
  });
  const again = await tower.client.call('getRunGraph', { params: { id: run.id } });
  expect(taskOf(byKey(again), 'b')).toMatchObject({ status: 'completed', outdated: true });
  const { items: all } = await tower.client.call('listAttempts', { params: { id } });
  expect(all).toHaveLength(4);
  for (const attempt of all) {
    await until(`what attempt ${attempt.number} said is kept`, async () => {
      const { items } = await tower.client.call('readAttemptLogs', {
        params: { id: attempt.id },
        query: { stream: 'stdout' },
      });
      return items.length > 0;
    });
  }
  const types = (await eventsOf(tower, run.id))
    .filter((event) => event.task === id)
    .map((event) => event.type);
  for (const type of ['task.paused', 'task.resumed', 'attempt.released', 'task.relaunched']) {
    expect(types).toContain(type);
  }
});

test('a paused run stops its agents and claims nothing, also over a restart of the server', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '4']);
  const dir = tempDir('p2-run');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'night',
      plan: { tasks: [{ key: 'a', kind: 'command', spec: patient(dir) }] },
    },
  });
  const first = await untilStarted(dir, 1);
  expect(await act(tower, 'run', 'pause', run.id)).toMatchObject({ status: 'paused' });
  await until('its process is gone', () => !isRunning(first));
  await tower.restart();
  await until('the worker is back', async () => {
    const { items } = await tower.client.call('listWorkers', {});
    return items.some((worker) => worker.status === 'online');
  });
  // Another run passes by: there are slots, and still nothing of the paused one starts.
  const other = await tower.client.call('createRun', {
    body: { goal: 'x', plan: { tasks: [{ key: 'x', kind: 'command', spec: 'true' }] } },
  });
  await untilEnded(tower, other.run.id);
  expect(pids(dir)).toHaveLength(1);
  writeFileSync(join(dir, 'go'), '');
  expect(await act(tower, 'run', 'resume', run.id)).toMatchObject({ status: 'running' });
  const { graph } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
});

test('a deleted run is gone from every list; a purged one leaves nothing, and takes nothing of others', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '2']);
  const make = (goal: string, own: string) =>
    tower.client.call('createRun', {
      body: {
        goal,
        plan: {
          tasks: [
            {
              key: 'a',
              kind: 'command',
              spec: `echo secret-${own}; printf shared > s.txt; printf '${own}' > o.txt; baton task artifact add s.txt; baton task artifact add o.txt`,
            },
          ],
        },
      },
    });
  const gone = (await make('to be purged', 'gone')).run.id;
  const kept = (await make('to be kept', 'kept')).run.id;
  for (const run of [gone, kept]) {
    expect((await untilEnded(tower, run)).graph.run.status).toBe('completed');
  }
  const graph = await tower.client.call('getRunGraph', { params: { id: gone } });
  const task = taskOf(byKey(graph), 'a');
  const files = (await tower.client.call('listRunArtifacts', { params: { id: gone } })).items;
  expect(files.map((it) => it.name).toSorted()).toEqual(['o.txt', 's.txt']);
  const contents = (): string[] => listFiles(join(tower.dataDir, 'blobs'));
  const shaOf = (name: string) => files.find((it) => it.name === name)?.sha256 ?? 'none';
  expect(contents()).toEqual(expect.arrayContaining([shaOf('o.txt'), shaOf('s.txt')]));

  await act(tower, 'run', 'delete', gone);
  await expect(tower.client.call('getRun', { params: { id: gone } })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(tower.client.call('getTask', { params: { id: task.id } })).rejects.toMatchObject({
    code: 'not_found',
  });
  expect((await tower.client.call('listRuns', {})).items.map((it) => it.id)).toEqual([kept]);
  expect((await tower.client.call('listTasks', {})).items.map((it) => it.run)).toEqual([kept]);

  await act(tower, 'run', 'purge', gone);
  await act(tower, 'run', 'purge', gone);
  await until('its content is gone', () => !contents().includes(shaOf('o.txt')));
  await until('its last attempt is gone', async () =>
    tower.client.call('getAttempt', { params: { id: task.attempt ?? '' } }).then(
      () => false,
      (error: unknown) => (error as { code?: string }).code === 'not_found',
    ),
  );
  await act(tower, 'run', 'purge', gone);
  expect(contents()).toContain(shaOf('s.txt'));
  expect(await stdoutOf(tower, (await onlyTask(tower, kept)).id)).toContain('secret-kept');
  expect(
    (await tower.client.call('listRunArtifacts', { params: { id: kept } })).items,
  ).toHaveLength(2);
  await until('its history says only that it was purged', async () => {
    const feed = await feedText(tower);
    return !feed.includes(task.id) && feed.split(gone).length === 2;
  });
  expect(await feedText(tower)).toContain(kept);
});

async function onlyTask(tower: Tower, run: string) {
  return taskOf(byKey(await tower.client.call('getRunGraph', { params: { id: run } })), 'a');
}

/** The whole history of the project as it is told; one line an event. */
async function feedText(tower: Tower): Promise<string> {
  const { items } = await tower.client.call('listEvents', { query: { limit: 1_000 } });
  return items.map((it) => JSON.stringify(it)).join('\n');
}

function listFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => it.name);
}
