import { AppError } from '@baton/contract';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { whenRoom } from './when-room.ts';

const full = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
const gitFailed = () => new AppError('git_failed', 'git commit: unable to write file');

function ports(freeBytes: () => number, signal = new AbortController().signal) {
  const log = pino({ level: 'silent' });
  return { log, signal, dir: '/', lookMs: 1, freeBytes: async () => freeBytes() };
}

test.each([
  ['a write', full, 1e12],
  ['git', gitFailed, 1_000],
])('%s that found no room is tried again until it finds some', async (_, failure, free) => {
  let tries = 0;
  const work = () => {
    tries += 1;
    if (tries < 4) throw failure();
    return 'done';
  };
  expect(
    await whenRoom(
      ports(() => free),
      work,
    ),
  ).toBe('done');
  expect(tries).toBe(4);
});

test('what fails for another reason fails', async () => {
  const work = () => Promise.reject(gitFailed());
  await expect(
    whenRoom(
      ports(() => 1e12),
      work,
    ),
  ).rejects.toMatchObject({ code: 'git_failed' });
});

test('who lets go of the attempt waits no longer', async () => {
  const leaving = new AbortController();
  let tries = 0;
  const work = (): never => {
    tries += 1;
    if (tries === 3) leaving.abort(new Error('the daemon lets go'));
    throw full();
  };
  await expect(
    whenRoom(
      ports(() => 0, leaving.signal),
      work,
    ),
  ).rejects.toThrow('aborted');
  expect(tries).toBe(3);
});
