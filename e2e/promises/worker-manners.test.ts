import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until } from '../support/tower.ts';

/** Inodes of the TCP sockets that listen on this machine, from a table such as `/proc/net/tcp`. */
function listeningInodes(table: string): string[] {
  const LISTEN = '0A';
  return readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap((fields) => (fields[3] === LISTEN && fields[9] !== undefined ? [fields[9]] : []));
}

function socketInodes(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [/^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, name)))?.[1] ?? ''];
    } catch {
      return [];
    }
  });
}

test('a worker listens on nothing, and on SIGTERM finishes what it has and takes no more', async () => {
  const go = join(tempDir('drain'), 'go');
  const tower = await startTower();
  const worker = await startFleetWorker(tower, 'w', ['--slots', '1', '--drain-timeout', '60']);
  const spec = `echo started; touch ${go}.started; while [ ! -e ${go} ]; do sleep 0.05; done; echo end`;
  const { run } = await tower.client.call('createRun', {
    body: {
      goal: 'drain',
      plan: {
        tasks: [
          { key: 'now', kind: 'command', spec },
          { key: 'later', kind: 'command', spec: 'true' },
        ],
      },
    },
  });
  await until('the agent runs', () => existsSync(`${go}.started`));
  const pid = worker.process.child.pid ?? 0;
  const listening = ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((table) => existsSync(table))
    .flatMap((table) => listeningInodes(table));
  expect(listening.length).toBeGreaterThan(0);
  expect(socketInodes(pid).length).toBeGreaterThan(0);
  expect(socketInodes(pid).filter((inode) => listening.includes(inode))).toEqual([]);

  worker.process.child.kill('SIGTERM');
  await until('it says what it waits for', () => /waiting for.*now/.test(worker.process.stderr()));
  writeFileSync(go, '');
  expect(await worker.process.exited).toBe(0);
  const graph = await tower.client.call('getRunGraph', { params: { id: run.id } });
  const tasks = Object.fromEntries(graph.tasks.map((task) => [task.key, task]));
  expect(taskOf(tasks, 'now').status).toBe('completed');
  expect(taskOf(tasks, 'later').status).toBe('ready');
  expect(await stdoutOf(tower, taskOf(tasks, 'now').id)).toBe('started\nend\n');

  await startFleetWorker(tower, 'w2');
  expect((await untilEnded(tower, run.id)).graph.run.status).toBe('completed');
  const types = (await eventsOf(tower, run.id)).map((event) => event.type);
  expect(types).not.toContain('attempt.lost');
  expect(types).not.toContain('attempt.released');
});
