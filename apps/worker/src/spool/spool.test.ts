import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  attemptPaths,
  createAttemptDir,
  listAttemptDirs,
  type AttemptPaths,
} from './attempt-dir.ts';
import { openSpool, type SpoolChunk } from './spool.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-spool-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let dir: string;
let paths: AttemptPaths;
let numbers = 0;
beforeEach(() => {
  numbers += 1;
  dir = createAttemptDir(root, `att_${numbers}`);
  paths = attemptPaths(dir);
});

/** What a supervisor writes when an agent has ended. */
function end(stdoutBytes: number): void {
  writeFileSync(
    paths.exit,
    JSON.stringify({ reason: 'exited', stdout_bytes: stdoutBytes, stderr_bytes: 0 }),
  );
}

describe('reading a spool', () => {
  test('is by offset and bounded, and empty where nothing is yet', async () => {
    const spool = openSpool(dir);
    expect(await spool.read('stdout', 0)).toMatchObject({ nextOffset: 0, isComplete: false });
    writeFileSync(paths.stdout, 'abcdef');
    const chunk = await spool.read('stdout', 2, 3);
    expect(chunk.data.toString()).toBe('cde');
    expect(chunk).toMatchObject({ offset: 2, nextOffset: 5, isComplete: false });
    expect(await spool.read('stdout', 6)).toMatchObject({ nextOffset: 6, isComplete: false });
    await spool.close();
  });

  test('is complete only when the exit record says that nothing follows', async () => {
    const spool = openSpool(dir);
    writeFileSync(paths.stdout, 'abc');
    end(6);
    expect(await spool.read('stdout', 0)).toMatchObject({ nextOffset: 3, isComplete: false });
    appendFileSync(paths.stdout, 'def');
    expect(await spool.read('stdout', 3)).toMatchObject({ nextOffset: 6, isComplete: true });
    expect(await spool.read('stderr', 0)).toMatchObject({ nextOffset: 0, isComplete: true });
    await spool.close();
  });

  test('follows from any offset to the end, across files that appear late', async () => {
    const spool = openSpool(dir);
    const seen: SpoolChunk[] = [];
    const following = (async () => {
      for await (const chunk of spool.follow('stdout', 2, { bytesMax: 4 })) seen.push(chunk);
    })();
    writeFileSync(paths.stdout, '01234');
    appendFileSync(paths.stdout, '56789');
    end(10);
    await following;
    expect(seen.map((chunk) => chunk.data.toString()).join('')).toBe('23456789');
    expect(seen.at(-1)).toMatchObject({ nextOffset: 10, isComplete: true });
    await spool.close();
  });

  test('an abort ends a follow that waits', async () => {
    const spool = openSpool(dir);
    const stop = new AbortController();
    const following = (async () => {
      for await (const chunk of spool.follow('stdout', 0, { signal: stop.signal }))
        expect(chunk).toBeNull();
    })();
    stop.abort();
    await following;
    await spool.close();
  });
});

test('attempt directories are listed for recovery; names that escape are refused', () => {
  const ids = listAttemptDirs(root).map((it) => it.attemptId);
  expect(ids).toContain(`att_${numbers}`);
  expect(listAttemptDirs(join(root, 'nowhere'))).toEqual([]);
  expect(() => createAttemptDir(root, '../x')).toThrow(TypeError);
});
