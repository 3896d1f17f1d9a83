import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parentOf, textOf } from '../support/processes.ts';
import { eventsOf, taskOf, untilEnded } from '../support/run.ts';
import { git, makeRepo } from '../support/repo.ts';
import {
  startFleetWorker,
  startTower,
  tempDir,
  until,
  type FleetWorker,
} from '../support/tower.ts';

/** Ends a worker as a machine that loses its power does: daemon, supervisors and agents at once. */
async function losePower(worker: FleetWorker): Promise<void> {
  const own = readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it) && belongsTo(worker, it))
    .map(Number);
  // A supervisor itself names nothing of its worker; its agent does.
  const parents = own.flatMap((pid) => findSupervisor(pid));
  const all = [...new Set([...parents, ...own])];
  // Nobody may see another one end and still say so.
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of all) send(pid, signal);
  await worker.kill();
}

/** The supervisor of an agent; none when the process is no agent, or has ended meanwhile. */
function findSupervisor(pid: number): number[] {
  try {
    const parent = parentOf(pid);
    const command = readFileSync(`/proc/${parent}/cmdline`, 'utf8');
    return command.includes('supervisor') ? [parent] : [];
  } catch {
    return [];
  }
}

function belongsTo(worker: FleetWorker, pid: string): boolean {
  try {
    const about = ['environ', 'cmdline'].map((it) => readFileSync(`/proc/${pid}/${it}`, 'utf8'));
    return about.some((it) => it.includes(worker.dataDir));
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

test('a worker, a verifier and the control plane die at each step, and the work is done once', async () => {
  const dir = tempDir('steps');
  const repo = makeRepo(join(tempDir('repo'), 'repo'), { 'a.txt': 'first\n' });
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'w', ['--slots', '2']);
  /** Says that a step has begun, and how often; goes on when the test lets it. */
  const step = (name: string): string =>
    `echo x >> ${join(dir, name)}.begun; while [ ! -e ${join(dir, name)}.go ]; do sleep 0.05; done`;
  const begun = (name: string): number => textOf(join(dir, `${name}.begun`)).split('\n').length - 1;
  const go = (name: string): void => writeFileSync(join(dir, `${name}.go`), '');
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'recover',
      plan: {
        tasks: [
          {
            key: 'work',
            kind: 'command',
            spec: `${step('work')}; echo done >> a.txt`,
            workspace: { repo },
            verification: { checks: { commands: [step('check'), 'grep -q done a.txt'] } },
          },
        ],
      },
    },
  });

  await until('the agent works', () => begun('work') === 1);
  await losePower(worker);
  await worker.restart();
  await until('it was lost and is done again', () => begun('work') === 2);
  await tower.kill();
  go('work');
  await tower.restart();

  await until('its result is checked', () => begun('check') === 1);
  await losePower(worker);
  await worker.restart();
  await until('the check was lost and is done again', () => begun('check') === 2);
  await tower.kill();
  go('check');
  await tower.restart();

  const { graph, tasks } = await untilEnded(tower, run.id);
  expect(graph.run.status).toBe('completed');
  expect(taskOf(tasks, 'work')).toMatchObject({
    status: 'completed',
    attempt_count: 1,
    verification: { verdict: 'accepted', rejections: 0 },
  });
  const events = await eventsOf(tower, run.id);
  const count = (type: string): number => events.filter((it) => it.type === type).length;
  expect([count('verification.accepted'), count('verification.rejected')]).toEqual([1, 0]);
  expect(count('task.completed')).toBe(2);
  const again = events.filter((it) => it.type === 'task.retrying').map((it) => it.data);
  expect(again).toMatchObject([
    { failure_class: 'lost', counted: false },
    { failure_class: 'lost', counted: false },
  ]);
  expect(graph.run.delivery.state).toBe('delivered');
  const branch = graph.run.delivery.branch ?? '';
  expect(git(repo, 'show', `${branch}:a.txt`)).toBe('first\ndone');
});
