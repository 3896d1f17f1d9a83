import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning } from '../support/processes.ts';
import { eventsOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

test(
  'the control plane ends agents that hang: silent for too long, or running for too long',
  { timeout: 300_000 },
  async () => {
    const dir = tempDir('hung');
    const tower = await startTower();
    await startFleetWorker(tower, 'w', ['--slots', '3']);
    const begins = (key: string): string => `echo $$ > ${join(dir, key)}.pid; echo hello`;
    const { run } = await tower.client.call('createRun', {
      body: {
        goal: 'hang',
        plan: {
          tasks: [
            {
              key: 'silent',
              kind: 'command',
              spec: `${begins('silent')}; trap '' TERM; while :; do sleep 300; done`,
              timeouts: { idle: 4, run: 300 },
            },
            {
              key: 'endless',
              kind: 'command',
              spec: `${begins('endless')}; while :; do echo on; sleep 0.5; done`,
              timeouts: { run: 6, idle: 60 },
            },
            {
              key: 'slow',
              kind: 'command',
              spec: `${begins('slow')}; for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 1; done`,
              timeouts: { idle: 4 },
            },
          ],
        },
      },
    });
    const pidOf = (key: string): string => readFileSync(join(dir, `${key}.pid`), 'utf8').trim();
    await until('all have begun', () =>
      ['silent', 'endless', 'slow'].every((key) => existsSync(join(dir, `${key}.pid`))),
    );
    const { graph, tasks } = await untilEnded(tower, run.id);
    expect(graph.run.status).toBe('failed');
    expect(taskOf(tasks, 'silent')).toMatchObject({
      status: 'failed',
      failure_class: 'idle_timeout',
      reason: 'said nothing for longer than timeouts.idle',
    });
    expect(taskOf(tasks, 'endless')).toMatchObject({ status: 'failed', failure_class: 'timeout' });
    // One that says something all the while outlives its idle timeout by far.
    expect(taskOf(tasks, 'slow').status).toBe('completed');
    await until('the agents are gone, one of them in spite of its trap', () =>
      ['silent', 'endless'].every((key) => !isRunning(pidOf(key))),
    );
    await until('both attempts are closed as timed out', async () => {
      const events = await eventsOf(tower, run.id);
      return events.filter(({ type }) => type === 'attempt.timed_out').length === 2;
    });
  },
);
