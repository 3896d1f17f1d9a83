import { join } from 'node:path';
import { expect, test } from 'vitest';
import { textOf } from '../support/processes.ts';
import { git, makeRepo } from '../support/repo.ts';
import { stdoutOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

test('p3: what a paused agent had not committed is there when another machine goes on with it', async () => {
  const tower = await startTower();
  const first = await startFleetWorker(tower, 'first', ['--slots', '1']);
  const dir = tempDir('p3');
  const repo = makeRepo(join(dir, 'shop'), { 'README.md': 'shop\n' });
  const script = [
    `if [ -e half.txt ]; then git log --format=%s; git status --porcelain; cat half.txt; exit 0; fi`,
    'echo half > half.txt',
    'git add half.txt && git -c user.name=A -c user.email=a@example.invalid commit -qm "half of it"',
    'echo whole >> half.txt; echo new > other.txt',
    `echo up >> ${dir}/up; sleep 600`,
  ].join('; ');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'elsewhere',
      deliver: 'none',
      plan: {
        tasks: [{ key: 'a', kind: 'command', spec: script, workspace: { repo } }],
      },
    },
  });
  await until('the agent has done a part', () => textOf(join(dir, 'up')) === 'up\n');
  const { items } = await tower.client.call('listTasks', { query: { run: run.id } });
  const id = items[0]?.id ?? '';
  await tower.client.call('pauseTask', { params: { id }, body: {} });
  await until('the attempt is closed', async () => {
    const attempts = await tower.client.call('listAttempts', { params: { id } });
    return attempts.items[0]?.status === 'released';
  });
  await first.kill();

  await startFleetWorker(tower, 'second', ['--slots', '1']);
  await tower.client.call('resumeTask', { params: { id }, body: {} });
  const { graph } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  const attempts = await tower.client.call('listAttempts', { params: { id } });
  expect(attempts.items).toMatchObject([{ worker_name: 'second' }, { worker_name: 'first' }]);
  expect(await stdoutOf(tower, id)).toBe(
    'half of it\nfirst\n M half.txt\n?? other.txt\nhalf\nwhole\n',
  );
  expect(git(repo, 'status', '--porcelain')).toBe('');
});
