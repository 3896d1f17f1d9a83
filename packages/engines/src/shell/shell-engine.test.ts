import { expect, test } from 'vitest';
import type { ProcessExit, ReaderEnd } from '../engine.ts';
import { shellEngine } from './shell-engine.ts';

function read(stdout: string, stderr: string, exit: ProcessExit): ReaderEnd {
  const reader = shellEngine.openReader();
  for (const byte of Buffer.from(stdout)) reader.push(Uint8Array.of(byte), 'stdout');
  reader.push(Buffer.from(stderr), 'stderr');
  return reader.end(exit);
}

test('exit code 0 is success, with the last lines of the output as summary', () => {
  const stdout = Array.from({ length: 60 }, (_, index) => `ligne ${index} é`).join('\n');
  const end = read(`${stdout}\n`, 'a remark', { code: 0, signal: null });
  expect(end.outcome).toMatchObject({ status: 'ok', exit_reason: 'exit_code', exit_code: 0 });
  expect(end.outcome.summary.split('\n')).toHaveLength(50);
  expect(end.outcome.summary.endsWith('ligne 59 é')).toBe(true);
  expect(end.events).toEqual([end.outcome]);
});

test('any other exit code is a failure, with what stderr said', () => {
  expect(read('working', 'no such file\n', { code: 2, signal: null }).outcome).toMatchObject({
    status: 'failed',
    failure_class: 'agent_error',
    summary: 'the command ended with exit code 2\nno such file',
  });
});

test('a command that said nothing on stderr failed with what it printed', () => {
  expect(read('1 test failed', '', { code: 1, signal: null }).outcome.summary).toBe(
    'the command ended with exit code 1\n1 test failed',
  );
});

test('a command that was stopped on purpose failed for that reason', () => {
  const exit = { code: null, signal: 'SIGTERM', stopped: 'timeout' as const };
  expect(read('half', '', exit).outcome).toMatchObject({
    status: 'failed',
    failure_class: 'timeout',
    exit_reason: 'stopped',
  });
});

test('the output is kept at its end, however long', () => {
  const reader = shellEngine.openReader();
  const chunk = Buffer.from(`${'x'.repeat(100_000)}\n`);
  for (let i = 0; i < 20; i += 1) reader.push(chunk, 'stdout');
  reader.push(Buffer.from('the end'), 'stdout');
  const { finalText } = reader.end({ code: 0, signal: null });
  expect(finalText.length).toBe(256 * 1024);
  expect(finalText.endsWith('the end')).toBe(true);
});
