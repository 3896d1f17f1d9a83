import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanEnv } from './support/process.ts';
import { git, makeRepo } from './support/repo.ts';
import { eventsOf, taskOf, untilEnded } from './support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from './support/tower.ts';

const batonBin = fileURLToPath(new URL('../apps/cli/bin/baton.js', import.meta.url));

function baton(tower: Tower, ...args: readonly string[]): string {
  const env = cleanEnv({ BATON_URL: tower.url, BATON_API_KEY: tower.apiKey });
  return execFileSync(process.execPath, [batonBin, ...args], { env, encoding: 'utf8' });
}

test('work is rejected by its checks, goes on with their words, and is delivered once accepted', async () => {
  const repo = makeRepo(join(tempDir('repo'), 'repo'), { 'total.txt': '0\n' });
  const tower = await startTower();
  await startFleetWorker(tower, 'w', ['--slots', '2']);
  const plan = join(tempDir('plan'), 'baton.yaml');
  writeFileSync(
    plan,
    `goal: Count to two
defaults: { repo: ${repo} }
tasks:
  count:
    kind: command
    # The first time it gets it wrong; with the words of the check it gets it right.
    spec: |
      if [ -e .baton/wake.json ]; then grep -o 'total is 1' .baton/wake.json && echo 2 > total.txt
      else echo 1 > total.txt; fi
    verification:
      checks:
        allowed_paths: [total.txt]
        commands: ['read total < total.txt; echo "total is $total"; [ "$total" = 2 ]']
`,
  );
  const { run } = JSON.parse(baton(tower, 'run', '--plan', plan, '--json')) as {
    run: { id: string };
  };
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  const count = taskOf(tasks, 'count');
  expect(count).toMatchObject({
    status: 'completed',
    attempt_count: 1,
    verification: { verdict: 'accepted', rejections: 1, check: 'commands' },
  });
  const events = await eventsOf(tower, run.id);
  const rejected = events.find(({ type }) => type === 'verification.rejected');
  expect(rejected?.data['reason']).toContain('total is 1');
  const accepted = events.find(({ type }) => type === 'verification.accepted');
  expect(accepted?.data['commit']).toBe(count.verification?.commit);
  const branch = graph.run.delivery.branch ?? '';
  expect(git(repo, 'show', `${branch}:total.txt`)).toBe('2');
  expect(git(repo, 'diff', '--name-only', 'main', branch)).toBe('total.txt');
});

test('a run that failed is replanned from the command line, on top of what is finished', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'w', ['--slots', '2']);
  const dir = tempDir('plan');
  writeFileSync(
    join(dir, 'first.yaml'),
    `goal: Two steps
policy: { on_task_failure: replan }
tasks:
  ok: { kind: command, spec: 'true' }
  wrong: { kind: command, spec: 'false', after: [ok] }
  last: { kind: command, spec: 'true', after: [wrong] }
`,
  );
  writeFileSync(
    join(dir, 'second.yaml'),
    `goal: Another way
tasks:
  right: { kind: command, spec: 'true', after: [ok] }
  last2: { kind: command, spec: 'true', after: [right] }
`,
  );
  const { run } = JSON.parse(baton(tower, 'run', '--plan', join(dir, 'first.yaml'), '--json')) as {
    run: { id: string };
  };
  await until('it waits for a new plan', async () => {
    const now = await tower.client.call('getRun', { params: { id: run.id } });
    return now.status === 'waiting' && now.reason === 'replan_needed:wrong';
  });
  const said = baton(tower, 'run', 'replan', run.id, '--plan', join(dir, 'second.yaml'));
  expect(said).toContain('plan version 2');
  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect(Object.fromEntries(Object.values(tasks).map((it) => [it.key, it.status]))).toEqual({
    ok: 'completed',
    wrong: 'superseded',
    last: 'superseded',
    right: 'completed',
    last2: 'completed',
  });
  expect(() =>
    baton(tower, 'run', 'replan', run.id, '--plan', join(dir, 'second.yaml'), '--version', '1'),
  ).toThrow(/plan version 2, and this plan answers version 1/);
});
