import { expect, test } from 'vitest';
import { isNewer, runProgram, versionIn } from './program.ts';

test('a program that gives no answer is ended in time', async () => {
  const answer = await runProgram(
    '/bin/sh',
    ['-c', 'exec sleep 60'],
    { PATH: '/bin:/usr/bin' },
    50,
  );
  expect(answer).toEqual({ code: null, stdout: '', timedOut: true });
});

test('a program that does not exist is an answer, not an error', async () => {
  expect(await runProgram('/nowhere/x', [], {})).toEqual({
    code: null,
    stdout: '',
    timedOut: false,
  });
});

test('a program gets an input that has ended', async () => {
  expect(await runProgram('/bin/sh', ['-c', 'cat; echo done'], {})).toMatchObject({
    stdout: 'done\n',
  });
});

test('a version is found among other words', () => {
  expect(versionIn('codex-cli 0.169.0')).toBe('0.169.0');
  expect(versionIn('2.1.328 (Claude Code)')).toBe('2.1.328');
  expect(versionIn('none')).toBeUndefined();
});

test('versions are compared by number, not by letter', () => {
  expect(isNewer('2.1.1000', '2.1.328')).toBe(true);
  expect(isNewer('2.1.328', '2.1.328')).toBe(false);
  expect(isNewer('0.99.0', '0.169.0')).toBe(false);
});
