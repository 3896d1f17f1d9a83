import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git } from '../../support/repo.ts';
import { tempDir } from '../../support/tower.ts';
import type { AgentName } from './agents.ts';

const fromRoot = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Makes the repository that the examples work on, as they say it is made. */
export function makeWordkit(): string {
  const path = join(tempDir('wordkit'), 'wordkit');
  execFileSync('sh', [fromRoot('examples/make-wordkit.sh'), path]);
  return path;
}

/** How many of its tests pass and fail in a fresh clone. */
export function testsOfClone(repo: string): { readonly passed: number; readonly failed: number } {
  const clone = join(tempDir('clone'), 'clone');
  git(repo, 'clone', '--quiet', '--no-local', repo, clone);
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  const output = execFileSync(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: clone,
    env,
    encoding: 'utf8',
  });
  const count = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(output)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

/** One of `examples/`, with what the model is to do added to the spec of each agent's task. */
export function scriptedExample(name: string, scripts: Readonly<Record<string, string>>): string {
  let text = readFileSync(fromRoot(`examples/${name}/baton.yaml`), 'utf8');
  for (const [key, script] of Object.entries(scripts)) {
    const [whole = ''] =
      new RegExp(`^  ${key}:\\n(?:    .*\\n|\\n)*?    spec: \\|\\n`, 'm').exec(text) ?? [];
    if (whole === '') throw new Error(`examples/${name} has no task ${key} with a spec`);
    const lines = script.split('\n').map((line) => (line === '' ? '' : `      ${line}`));
    text = text.replace(whole, () => `${whole}${lines.join('\n')}\n\n`);
  }
  const path = join(tempDir('plan'), 'baton.yaml');
  writeFileSync(path, text);
  return path;
}

const api = {
  module: 'wordkit',
  functions: [
    {
      name: 'slugify',
      file: 'src/slugify.js',
      about: 'Turns a title into something that can stand in an address.',
      parameters: ['title'],
      examples: [{ arguments: ['Hello, World!'], result: 'hello-world' }],
    },
    {
      name: 'summarize',
      file: 'src/summarize.js',
      about: 'The first words of a text, with an ending that shows that it was cut.',
      parameters: ['text', 'wordsMax', 'ending'],
      examples: [{ arguments: ['one two three four', 2, '~'], result: 'one two~' }],
    },
  ],
};

/** The contract that the scripted design hands on. */
export const designedApi: unknown = api;

/** Two brackets end a directive: they are kept apart. */
const apiJson = JSON.stringify(api, null, 1);

const conclusion = (summary: string, files: readonly string[], passed: number): string =>
  [
    '[[say:It is done.',
    '',
    '```baton:conclusion',
    'status: success',
    `summary: ${summary}`,
    `tests: {passed: ${passed}, failed: 0, skipped: 0}`,
    `files: [${files.join(', ')}]`,
    'confidence: 0.9',
    '```]]',
  ].join('\n');

/** What the scripted model does for each task, as one that can work with `agent` would. */
export const scripts = {
  /** Claude reaches Baton from its shell; in the sandbox of Codex a file is the shortest way. */
  design: (agent: AgentName): string => {
    const file = agent === 'claude' ? '"$TMPDIR/api.json"' : '.baton/outputs/api_schema.json';
    const handIn = agent === 'claude' ? `\nbaton task output set api_schema ${file}` : '';
    return [
      '[[write:docs/api.md|# wordkit',
      '',
      '- slugify(title): for addresses',
      '- summarize(text, wordsMax, ending): the first words',
      ']]',
      `[[shell:cat > ${file} <<'END_OF_API'`,
      apiJson,
      `END_OF_API${handIn}`,
      ']]',
      conclusion('Designed slugify and summarize.', ['docs/api.md'], 0),
    ].join('\n');
  },
  slugify: (agent: AgentName): string =>
    [
      '[[write:src/slugify.js|import { words } from "./words.js";',
      '',
      'export function slugify(title) {',
      '  return words(title.toLowerCase().replace(/[^a-z0-9]+/g, " ")).join("-");',
      '}',
      ']]',
      '[[write:test/slugify.test.js|import assert from "node:assert/strict";',
      'import { test } from "node:test";',
      'import { slugify } from "../src/slugify.js";',
      '',
      'test("slugify gives what the design promises", () => {',
      '  assert.equal(slugify("Hello, World!"), "hello-world");',
      '});',
      ']]',
      '[[shell:grep -q slugify .baton/inputs/api_schema.json && baton task progress "testing" --percent 80 && npm test]]',
      // Where the agent can commit, it does so itself; elsewhere its work is committed for it.
      ...(agent === 'claude'
        ? [
            '[[shell:git add --all && git -c user.name=Agent -c user.email=agent@example.invalid commit --quiet --message "Add slugify"]]',
          ]
        : []),
      conclusion('Built slugify.', ['src/slugify.js', 'test/slugify.test.js'], 2),
    ].join('\n'),
  summarize: (): string =>
    [
      '[[shell:answer=$(baton task ask "How should a summary end where the text was cut?" --option dots --option ellipsis --option more --default dots --timeout 600) || exit 1',
      'case $answer in dots) ending=... ;; ellipsis) ending=… ;; *) ending=" (more)" ;; esac',
      'cat > src/summarize.js <<END_OF_CODE',
      'import { words } from "./words.js";',
      '',
      'export function summarize(text, wordsMax, ending = "$ending") {',
      '  const all = words(text);',
      '  return all.length <= wordsMax ? all.join(" ") : all.slice(0, wordsMax).join(" ") + ending;',
      '}',
      'END_OF_CODE',
      'echo "the answer is $answer"',
      ']]',
      '[[write:test/summarize.test.js|import assert from "node:assert/strict";',
      'import { test } from "node:test";',
      'import { summarize } from "../src/summarize.js";',
      '',
      'test("summarize gives what the design promises", () => {',
      '  assert.equal(summarize("one two three four", 2, "~"), "one two~");',
      '});',
      ']]',
      '[[shell:npm test]]',
      conclusion('Built summarize.', ['src/summarize.js', 'test/summarize.test.js'], 2),
    ].join('\n'),
} as const;
