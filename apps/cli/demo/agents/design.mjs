// A script that stands in for an agent: it reads the repository, designs two functions, writes the
// design down, and hands it on as a contract that the next tasks get as their input.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const baton = (...args) => execFileSync('baton', args, { encoding: 'utf8' }).trim();

console.log('I am a script, not a model. I design by heart.');
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
baton('task', 'progress', `reading ${name}`, '--percent', '20');

const api = {
  module: name,
  functions: [
    {
      name: 'slugify',
      file: 'src/slugify.js',
      about: 'Turns a title into something that can stand in an address.',
      parameters: ['title'],
      examples: [
        { arguments: ['Hello, World!'], result: 'hello-world' },
        { arguments: ['  On  single-track railways '], result: 'on-single-track-railways' },
        { arguments: [''], result: '' },
      ],
    },
    {
      name: 'summarize',
      file: 'src/summarize.js',
      about: 'The first words of a text, with an ending that shows that it was cut.',
      parameters: ['text', 'wordsMax', 'ending'],
      examples: [
        { arguments: ['one two three four', 2, '~'], result: 'one two~' },
        { arguments: ['one two', 2, '~'], result: 'one two' },
        { arguments: ['', 3, '~'], result: '' },
      ],
    },
  ],
};

mkdirSync('docs', { recursive: true });
const lines = api.functions.map(
  (it) => `- \`${it.name}(${it.parameters.join(', ')})\`: ${it.about}`,
);
writeFileSync('docs/api.md', `# ${name}\n\n${lines.join('\n')}\n`);
const input = JSON.stringify(api);
execFileSync('baton', ['task', 'output', 'set', 'api_schema', '-'], { input });
baton('task', 'note', 'Both functions are pure; each gets a file and a test of its own.');
baton('task', 'done', 'Designed slugify and summarize; wrote docs/api.md');
