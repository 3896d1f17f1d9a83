import { expect, test } from 'vitest';
import { eventsOf, placeOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower } from '../support/tower.ts';

const schema = {
  endpoints: [{ path: '/users', method: 'GET', response: 'User[]' }],
  types: { User: { id: 'uuid', name: 'string' } },
};

test('o3: B and C get what A promised, and C starts only after B', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev-backend', ['--slots', '3']);
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'Users API',
      plan: {
        tasks: [
          {
            key: 'a',
            title: 'Design API Schema',
            kind: 'command',
            spec: `baton task output set api_schema --json '${JSON.stringify(schema)}'`,
            outputs: [
              {
                key: 'api_schema',
                type: 'api_schema',
                schema: { type: 'object', required: ['endpoints', 'types'] },
              },
            ],
          },
          { key: 'b', kind: 'command', spec: 'cat .baton/inputs/api_schema.json' },
          { key: 'c', kind: 'command', spec: 'cat .baton/inputs/api_schema.json' },
        ],
        dependencies: [
          { upstream: 'a', downstream: 'b', type: 'input', contract_key: 'api_schema' },
          { upstream: 'a', downstream: 'c', type: 'input', contract_key: 'api_schema' },
          { upstream: 'b', downstream: 'c', type: 'blocks' },
        ],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  for (const key of ['b', 'c']) {
    const { inputs } = await tower.client.call('getTask', {
      params: { id: taskOf(tasks, key).id },
    });
    expect(inputs).toEqual({ api_schema: schema });
  }
  const events = await eventsOf(tower, run.id);
  const at = (type: string, key: string) => placeOf(events, type, taskOf(tasks, key).id);
  expect(at('task.started', 'c')).toBeGreaterThan(at('task.completed', 'b'));
  const afterA = events.slice(at('task.completed', 'a')).map((event) => event.type);
  const inOrder = [
    'task.completed',
    'contract.fulfilled',
    'dependency.resolved',
    'task.unblocked',
    'task.assigned',
  ];
  expect(inOrder.map((type) => afterA.indexOf(type as never))).toEqual(
    inOrder.map((type) => afterA.indexOf(type as never)).toSorted((x, y) => x - y),
  );
  expect(afterA).toEqual(expect.arrayContaining(inOrder));
});

test('an output that breaks its schema is refused with the words of the validator, and the task fails', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'bad output',
      plan: {
        tasks: [
          {
            key: 'a',
            kind: 'command',
            spec: `baton task output set port --json '"eighty"'; echo "exit $?"`,
            outputs: [{ key: 'port', schema: { type: 'integer' } }],
          },
          { key: 'b', kind: 'command', spec: 'true' },
        ],
        dependencies: [{ upstream: 'a', downstream: 'b', type: 'input', contract_key: 'port' }],
      },
    },
  });
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('failed');
  expect(taskOf(tasks, 'a')).toMatchObject({
    status: 'failed',
    failure_class: 'contract_violation',
  });
  expect(taskOf(tasks, 'b')).toMatchObject({ status: 'skipped', reason: 'dependency_failed:a' });
  const logs = await tower.client.call('readTaskLogs', {
    params: { id: taskOf(tasks, 'a').id },
    query: { limit: 100 },
  });
  const text = logs.items
    .map((chunk) => Buffer.from(chunk.data, chunk.encoding === 'base64' ? 'base64' : 'utf8'))
    .join('');
  expect(text).toContain('must be integer');
});
