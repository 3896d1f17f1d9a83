import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT_CODES } from '../exit-codes.ts';
import { referenceFiles } from './reference-files.ts';

test.each(Object.entries(referenceFiles()))('%s is as fresh as the code', (path, content) => {
  const written = readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
  const why = 'Run: npx tsx --conditions=source scripts/generate/reference.ts';
  expect(written === content ? 'fresh' : why).toBe('fresh');
});

test('the guide lists the exit codes as they are', () => {
  const guide = readFileSync(new URL('../../../../docs/guide/cli.md', import.meta.url), 'utf8');
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  expect(guide).toContain(rows.join('\n'));
});
