import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-lock-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('holders follow one another, and nothing is left behind', async () => {
  const path = join(root, 'one.lock');
  let inside = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    [0, 1, 2, 3].map((n) =>
      withFileLock(path, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(n);
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(order).toEqual([0, 1, 2, 3]);
  expect(readdirSync(root)).toEqual([]);
});

test("a failure inside is the caller's, and frees the lock", async () => {
  const path = join(root, 'two.lock');
  await expect(withFileLock(path, () => Promise.reject(new Error('inside')))).rejects.toThrow(
    'inside',
  );
  expect(await withFileLock(path, () => Promise.resolve('free'))).toBe('free');
});

test('a lock of another process is waited for; one of a killed process is taken over', async () => {
  const path = join(root, 'three.lock');
  const holder = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      `import { withFileLock } from ${JSON.stringify(new URL('file-lock.ts', import.meta.url).href)};
       await withFileLock(${JSON.stringify(path)}, async () => {
         process.stdout.write('held');
         await new Promise((resolve) => setTimeout(resolve, 600_000));
       });`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void holder.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)));
  });
  await expect(withFileLock(path, () => Promise.resolve(), 60)).rejects.toMatchObject({
    code: 'workspace_busy',
  });
  holder.kill('SIGKILL');
  await new Promise((resolve) => holder.once('exit', resolve));
  expect(await withFileLock(path, () => Promise.resolve('mine'), 60_000)).toBe('mine');
});
