// A script that stands in for an agent: it builds the other function, and asks a person one thing
// that the design leaves open.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';

const baton = (...args) => execFileSync('baton', args, { encoding: 'utf8' }).trim();

console.log('I am a script, not a model. I write summarize.');
const api = JSON.parse(readFileSync('.baton/inputs/api_schema.json', 'utf8'));
const it = api.functions.find(({ name }) => name === 'summarize');
baton('task', 'progress', 'one question before I begin', '--percent', '10');

const endings = { dots: '...', ellipsis: '\u2026', more: ' (more)' };
const answer = baton(
  ...['task', 'ask', 'How should a summary end where the text was cut?'],
  ...Object.keys(endings).flatMap((option) => ['--option', option]),
  ...['--default', 'dots', '--timeout', env.DEMO_QUESTION_SECONDS ?? '60'],
);
console.log(`The answer is: ${answer}`);
baton('task', 'progress', `writing ${it.file} with ${answer}`, '--percent', '40');

const ending = JSON.stringify(endings[answer] ?? endings.dots);
writeFileSync(
  it.file,
  `import { words } from './words.js';

/** ${it.about} */
export function summarize(text, wordsMax, ending = ${ending}) {
  const all = words(text);
  return all.length <= wordsMax ? all.join(' ') : all.slice(0, wordsMax).join(' ') + ending;
}
`,
);
const cases = it.examples.map(
  ({ arguments: given, result }) =>
    `  assert.equal(summarize(...${JSON.stringify(given)}), ${JSON.stringify(result)});`,
);
writeFileSync(
  'test/summarize.test.js',
  `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from '../${it.file}';

test('summarize gives what the design promises', () => {
${cases.join('\n')}
});

test('summarize ends as a person decided', () => {
  assert.equal(summarize('one two three', 2), 'one two' + ${ending});
});
`,
);

baton('task', 'progress', 'running the tests', '--percent', '80');
console.log(execFileSync(process.execPath, ['--test'], { encoding: 'utf8' }));
baton('task', 'done', `Wrote summarize and its tests; a cut text ends with ${answer}`);
