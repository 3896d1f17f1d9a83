import { expect, test } from 'vitest';
import { startTower, until } from '../support/tower.ts';

test('one key, a hundred requests, a server killed in between: one run, and the same answer to all', async () => {
  const tower = await startTower();
  const body = {
    goal: 'once',
    plan: { tasks: [{ key: 'a', kind: 'command' as const, spec: 'true' }] },
  };
  const answers: unknown[] = [];
  const asking = Array.from({ length: 100 }, async () => {
    await until('an answer', async () => {
      try {
        answers.push(await tower.client.call('createRun', { body, idempotencyKey: 'once' }));
        return true;
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        if (code === 'control_plane_unreachable' || code === 'store_unavailable') return false;
        throw error;
      }
    });
  });
  await until('the first answer', () => answers.length > 0);
  await tower.restart();
  await Promise.all(asking);
  expect(answers).toHaveLength(100);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect((await tower.client.call('listRuns', {})).items).toHaveLength(1);
  const other = tower.client.call('createRun', {
    body: { ...body, goal: 'another' },
    idempotencyKey: 'once',
  });
  await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
});
