import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Runs git in a folder; answers what it printed, trimmed. */
export function git(cwd: string, ...args: readonly string[]): string {
  const settings = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  return execFileSync('git', [...settings, ...args], { cwd, encoding: 'utf8' }).trim();
}

/** Makes a repository on branch `main` with one commit of these files. */
export function makeRepo(path: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(path, { recursive: true });
  git(path, 'init', '--quiet', '--initial-branch=main');
  for (const [name, text] of Object.entries(files)) {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  git(path, 'add', '--all');
  git(path, 'commit', '--quiet', '--message', 'first');
  return path;
}
