import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '@baton/contract';

const run = promisify(execFile);

/** The small library that the demo works on. */
const WORDKIT = fileURLToPath(new URL('../../demo/wordkit/', import.meta.url));

/**
 * Makes a repository with one commit on `main` in the next free folder below `<dataDir>/demo`.
 * @returns its path
 */
export async function makeDemoRepo(dataDir: string): Promise<string> {
  const path = nextFolder(join(dataDir, 'demo'));
  cpSync(WORDKIT, path, { recursive: true });
  // Under its own name it would be taken for a package of this repository.
  renameSync(join(path, 'package.template.json'), join(path, 'package.json'));
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
