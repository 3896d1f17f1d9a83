import { expect, test } from 'vitest';
import { effectOf } from './effect-of.ts';

test.each([
  ['Read', 'src/a.ts', 'local_read'],
  ['Edit', 'src/a.ts', 'local_write'],
  ['file_change', 'src/a.ts', 'local_write'],
  ['Bash', 'npm test', 'local_write'],
  ['shell', 'git push origin main', 'external_write'],
  ['Bash', 'curl -s https://example.org', 'external_read'],
  ['Bash', 'curl -X POST https://example.org', 'external_write'],
  ['Bash', 'cd pkg && npm publish', 'external_irreversible'],
  ['web_search', 'weather', 'external_read'],
  ['mcp__baton__report_progress', '', 'local_write'],
  ['mcp__jira__create_issue', '', 'external_write'],
])('%s %j is %s', (name, target, effect) => {
  expect(effectOf(name, target)).toBe(effect);
});
