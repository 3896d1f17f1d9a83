import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@baton/contract';

const run = promisify(execFile);

/** Files of the small library that the demo works on. */
const FILES: Readonly<Record<string, string>> = {
  'package.json': `${JSON.stringify(
    { name: 'wordkit', version: '1.0.0', type: 'module', scripts: { test: 'node --test' } },
    null,
    2,
  )}\n`,
  'README.md': '# wordkit\n\nSmall functions on words. `npm test` runs the tests.\n',
  '.gitignore': 'node_modules/\n',
  'src/words.js': `/** The words of a text, in order. */
export function words(text) {
  return text.split(/\\s+/).filter((word) => word !== '');
}
`,
  'test/words.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from '../src/words.js';

test('words leaves out what lies between them', () => {
  assert.deepEqual(words('  one two\\n three '), ['one', 'two', 'three']);
});
`,
};

/**
 * Makes a repository with one commit on `main` in the next free folder below `<dataDir>/demo`.
 * @returns its path
 */
export async function makeDemoRepo(dataDir: string): Promise<string> {
  const path = nextFolder(join(dataDir, 'demo'));
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  await git(path, 'init', '--quiet');
  // `init -b` is younger than some gits that are still about.
  await git(path, 'symbolic-ref', 'HEAD', 'refs/heads/main');
  await git(path, 'config', 'user.name', 'Baton demo');
  await git(path, 'config', 'user.email', 'demo@baton.invalid');
  await git(path, 'config', 'commit.gpgsign', 'false');
  await git(path, 'add', '--all');
  await git(path, 'commit', '--quiet', '--no-verify', '--message', 'wordkit: words of a text');
  return path;
}

/** Output of git in a folder, trimmed. @throws AppError git_failed with what git said. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('git', [...args], { cwd, maxBuffer: 16 * 1024 * 1024 });
    return stdout.trimEnd();
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const why = said === '' && error instanceof Error ? error.message : said;
    throw new AppError('git_failed', `git ${args[0] ?? ''} failed in ${cwd}: ${why}`, {
      cause: error,
    });
  }
}

/** `1`, `2` ...: what earlier demos left stays where it is. */
function nextFolder(base: string): string {
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const numbers = readdirSync(base).map(Number).filter(Number.isInteger);
  const path = join(base, String(Math.max(0, ...numbers) + 1), 'repo');
  mkdirSync(path, { recursive: true });
  return path;
}
