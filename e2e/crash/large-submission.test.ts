import type { RunGraph } from '@baton/contract';
import { expect, test } from 'vitest';
import { startTower, until } from '../support/tower.ts';
import { joinHttpWorker } from '../support/http-worker.ts';

const size = 3_000;

function plan() {
  const tasks = Array.from({ length: size }, (_, at) => ({
    key: `t${at}`,
    kind: 'command',
    spec: 'true',
  }));
  const dependencies = Array.from({ length: size - 1 }, (_, at) => ({
    upstream: 't0',
    downstream: `t${at + 1}`,
  }));
  return { tasks, dependencies };
}

async function submitted(answer: Response): Promise<RunGraph> {
  expect(answer.status).toBe(201);
  return (await answer.json()) as RunGraph;
}

test('a large submission survives a crash in its middle: whole, once, and nothing starts before', async () => {
  const tower = await startTower();
  const submit = (): Promise<Response> =>
    fetch(`${tower.url}/api/v1/runs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tower.apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'large-1',
      },
      body: JSON.stringify({ goal: 'large', deliver: 'none', plan: plan() }),
    });
  const worker = await joinHttpWorker(tower, 'w', 1);
  const first = submit().catch(() => undefined);
  await until('it is being written', async () => {
    const { items } = await tower.client.call('listRuns', {});
    // On a fast machine all of it may be there before anybody looks.
    return items.some((it) => it.status !== 'planning' || it.task_count > 0);
  });
  await tower.kill();
  await first;
  await tower.restart();

  // The same request again finds the run that it made, and waits until all of it is there; where that
  // takes minutes it is shown as far as it is.
  let graph = await submitted(await submit());
  await until('it is whole', async () => {
    if (graph.run.status === 'planning') graph = await submitted(await submit());
    return graph.run.status !== 'planning';
  });
  expect(graph.run).toMatchObject({ status: 'running', task_count: size });
  expect([graph.tasks.length, graph.dependencies.length]).toEqual([size, size - 1]);
  expect(graph.tasks.filter((it) => it.status !== 'blocked').map((it) => it.key)).toEqual(['t0']);
  const { items } = await tower.client.call('listRuns', {});
  expect(items).toHaveLength(1);

  const { items: events } = await tower.client.call('listRunEvents', {
    params: { id: graph.run.id },
    query: { limit: 1_000 },
  });
  expect(events[0]).toMatchObject({ type: 'run.created', data: { status: 'planning' } });
  const held = await worker.take();
  expect(held.task).toBe(graph.tasks.find((it) => it.key === 't0')?.id);
  await held.complete('done');
  await tower.client.call('cancelRun', { params: { id: graph.run.id }, body: {} });
});
