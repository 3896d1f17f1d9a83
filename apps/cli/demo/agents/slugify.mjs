// A script that stands in for an agent: it builds one function of the design it was given.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const baton = (...args) => execFileSync('baton', args, { encoding: 'utf8' }).trim();

console.log('I am a script, not a model. I write slugify.');
const api = JSON.parse(readFileSync('.baton/inputs/api_schema.json', 'utf8'));
const it = api.functions.find(({ name }) => name === 'slugify');
baton('task', 'progress', `writing ${it.file}`, '--percent', '30');

writeFileSync(
  it.file,
  `import { words } from './words.js';

/** ${it.about} */
export function slugify(title) {
  return words(title.toLowerCase().replace(/[^a-z0-9]+/g, ' ')).join('-');
}
`,
);
const cases = it.examples.map(
  ({ arguments: given, result }) =>
    `  assert.equal(slugify(...${JSON.stringify(given)}), ${JSON.stringify(result)});`,
);
writeFileSync(
  'test/slugify.test.js',
  `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slugify } from '../${it.file}';

test('slugify gives what the design promises', () => {
${cases.join('\n')}
});
`,
);

baton('task', 'progress', 'running the tests', '--percent', '70');
console.log(execFileSync(process.execPath, ['--test'], { encoding: 'utf8' }));
baton('task', 'done', 'Wrote slugify and its test; all tests pass');
