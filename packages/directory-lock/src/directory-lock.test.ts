import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AppError } from '@baton/contract';
import { openDirectoryLock } from './directory-lock.ts';

const refusalOf = (promise: Promise<unknown>): Promise<AppError> =>
  promise.then(
    () => {
      throw new Error('it should have been refused');
    },
    (error: unknown) => error as AppError,
  );

let base: string;
let dir: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'baton-lock-test-'));
  dir = join(base, 'data');
  await mkdir(dir);
});
// Hooks run from the last to the first: sockets elsewhere are removed before the record of them.
afterEach(async () => {
  await Promise.all(children.splice(0).map(end));
  await rm(base, { recursive: true, force: true });
});

/** Resolves when it is gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

/** A process that tries to take `dir` when its input ends, prints `won` or the refusal, and stays. */
function startContender(target = dir): { child: ChildProcess; answer: Promise<string> } {
  const program = `
    import { openDirectoryLock } from ${JSON.stringify(new URL('directory-lock.ts', import.meta.url).href)};
    for await (const _ of process.stdin);
    try {
      await openDirectoryLock(${JSON.stringify(target)}, { role: 'contender' });
      console.log('won');
    } catch (error) {
      console.log(error.code + ' ' + (error.publicDetail?.owner_pid ?? error.message));
    }
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', program],
    { stdio: ['pipe', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  children.push(child);
  const answer = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return { child, answer };
}

describe('a locked directory', () => {
  test('is refused to others, naming the owner', async () => {
    const lock = await openDirectoryLock(dir, { role: 'server' });
    const refused = await refusalOf(openDirectoryLock(dir));
    expect(refused.code).toBe('data_dir_in_use');
    expect(refused.publicDetail).toEqual({
      data_dir: dir,
      owner_pid: process.pid,
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      role: 'server',
    });
    await lock.close();
  });

  test('is free again after it was closed, and nothing is left in it', async () => {
    const lock = await openDirectoryLock(dir);
    await Promise.all([lock.close(), lock.close()]);
    const again = await openDirectoryLock(dir);
    await again.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('is the same by whatever path it is reached', async () => {
    await symlink(dir, join(base, 'other'));
    const lock = await openDirectoryLock(dir);
    const refused = await refusalOf(openDirectoryLock(join(base, 'other')));
    expect(refused.code).toBe('data_dir_in_use');
    await lock.close();
  });

  test('is free again after its owner was killed', async () => {
    const owner = startContender();
    owner.child.stdin?.end();
    expect(await owner.answer).toBe('won');
    const refused = await refusalOf(openDirectoryLock(dir));
    expect(refused.publicDetail['owner_pid']).toBe(owner.child.pid);
    await end(owner.child);
    const lock = await openDirectoryLock(dir);
    expect(await readdir(dir)).toHaveLength(1);
    await lock.close();
  });

  test('is refused while somebody behind a socket says nothing', async () => {
    const silent = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => {
      silent.listen(join(dir, 'lock-0000000000000000.sock'), resolve);
    });
    const refused = await refusalOf(openDirectoryLock(dir));
    expect(refused.message).toMatch(/does not answer/);
    await new Promise((resolve) => {
      silent.close(resolve);
    });
  });
});

describe('many who start at once', () => {
  test('of processes exactly one wins, also over the remains of a dead owner', async () => {
    const dead = startContender();
    dead.child.stdin?.end();
    expect(await dead.answer).toBe('won');
    await end(dead.child);
    const contenders = Array.from({ length: 10 }, () => startContender());
    for (const { child } of contenders) child.stdin?.end();
    const answers = await Promise.all(contenders.map(({ answer }) => answer));
    // On a machine under load the winner may be too slow to say its name.
    const lost = answers.filter((it) => it.startsWith('data_dir_in_use '));
    expect([lost.length, answers.filter((it) => it === 'won').length]).toEqual([9, 1]);
  });

  test('in one process exactly one wins each time', async () => {
    for (let round = 0; round < 30; round += 1) {
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, () => openDirectoryLock(dir)),
      );
      const won = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(won).toHaveLength(1);
      await won[0]?.close();
    }
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('a path too long for a socket', () => {
  const long = (): string => join(dir, 'x'.repeat(60), 'y'.repeat(60));
  const longDir = async (): Promise<string> => {
    await mkdir(long(), { recursive: true });
    return long();
  };
  afterEach(async () => {
    for (const path of [long(), `${long()}-copy`]) {
      const record = await readFile(join(path, 'lock.path'), 'utf8').catch(() => '');
      const sockets = record.split('\n')[1];
      if (sockets !== undefined) await rm(sockets, { recursive: true, force: true });
    }
  });

  test('locks all the same', async () => {
    const path = await longDir();
    const lock = await openDirectoryLock(path);
    expect((await refusalOf(openDirectoryLock(path))).code).toBe('data_dir_in_use');
    await lock.close();
    await (await openDirectoryLock(path)).close();
  });

  test('does not lock a copy of the directory', async () => {
    const path = await longDir();
    const lock = await openDirectoryLock(path);
    await cp(path, `${path}-copy`, { recursive: true });
    const copy = await openDirectoryLock(`${path}-copy`);
    await Promise.all([lock.close(), copy.close()]);
  });

  test('survives a record that was cut off', async () => {
    const path = await longDir();
    await writeFile(join(path, 'lock.path'), '');
    const lock = await openDirectoryLock(path);
    expect((await refusalOf(openDirectoryLock(path))).code).toBe('data_dir_in_use');
    await lock.close();
  });
});
