import { expect, test } from 'vitest';
import { join } from 'node:path';
import { git, makeRepo } from '../support/repo.ts';
import { eventsOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir } from '../support/tower.ts';

test('what the graph made is in the repository, although its last tasks changed nothing', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '2']);
  const repo = makeRepo(join(tempDir('shop'), 'shop'), { 'a.txt': 'a\n' });
  const work = (key: string, spec: string) => ({
    key,
    kind: 'command' as const,
    spec,
    workspace: { repo, ref: 'main' },
  });
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'two pieces, checked',
      deliver: 'merge',
      plan: {
        tasks: [
          work('one', 'echo 1 > one.txt'),
          work('two', 'echo 2 > two.txt'),
          work('check', 'test -e one.txt && test -e two.txt'),
          { key: 'tell', kind: 'command', spec: 'echo told' },
        ],
        dependencies: [
          { upstream: 'one', downstream: 'check' },
          { upstream: 'two', downstream: 'check' },
          { upstream: 'check', downstream: 'tell' },
        ],
      },
    },
  });
  const { graph } = await untilEnded(tower, run.id);
  const merged = `baton/${run.id}/merged`;
  expect(graph.run).toMatchObject({ status: 'completed', delivery: { state: 'delivered' } });
  expect(git(repo, 'rev-parse', 'main')).toBe(git(repo, 'rev-parse', merged));
  expect(git(repo, 'ls-tree', '--name-only', 'main').split('\n')).toEqual([
    'a.txt',
    'one.txt',
    'two.txt',
  ]);
  expect(git(repo, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n')).toEqual([
    merged,
    'main',
  ]);
  const orders = (await eventsOf(tower, run.id)).filter((it) => it.type === 'run.delivering');
  expect(orders).toHaveLength(1);
});
