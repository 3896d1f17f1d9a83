import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileLog } from './log.ts';

test('an error is written with its message, its stack and its cause', () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-log-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'logs', 'worker.log');
  const error = new Error('the workspace is gone', { cause: new Error('ENOENT') });
  fileLog(path, 'info').error({ error }, 'an attempt could not be run');
  const line = readFileSync(path, 'utf8');
  expect(line).toContain('the workspace is gone');
  expect(line).toContain('log.test.ts');
  expect(line).toContain('ENOENT');
});
