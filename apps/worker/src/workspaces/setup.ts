import { cpSync, lstatSync, openSync, closeSync, readFileSync, realpathSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { AppError } from '@baton/contract';
import { endTree, TREE_MARK } from '../supervisor/process-tree.ts';

const SETUP_MS_MAX_DEFAULT = 10 * 60_000;
const TAIL_LINES = 20;

/**
 * Copies untracked files, such as `.env`, from the work tree they come from. What is missing there, or
 * lies outside of it, or exists already, is told and not copied.
 */
export function copyFiles(
  from: string,
  to: string,
  names: readonly string[],
): { readonly copied: readonly string[]; readonly notCopied: readonly string[] } {
  const copied: string[] = [];
  const notCopied: string[] = [];
  for (const name of names) {
    const clean = normalize(name);
    const isInside = !isAbsolute(clean) && clean !== '..' && !clean.startsWith(`..${sep}`);
    if (isInside && isFreshCopy(from, to, clean)) copied.push(clean);
    else notCopied.push(name);
  }
  return { copied, notCopied };
}

function isFreshCopy(from: string, to: string, name: string): boolean {
  const source = join(from, name);
  const target = join(to, name);
  if (lstatSync(source, { throwIfNoEntry: false }) === undefined) return false;
  if (!realpathSync(source).startsWith(`${realpathSync(from)}${sep}`)) return false;
  if (!isFreeInside(to, target)) return false;
  cpSync(source, target, { recursive: true, preserveTimestamps: true });
  return true;
}

/** Whether nothing is at `target` yet and what is above it are real directories, no links to elsewhere. */
function isFreeInside(root: string, target: string): boolean {
  let path = root;
  for (const part of relative(root, dirname(target)).split(sep)) {
    path = join(path, part);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return true;
    if (!stat.isDirectory()) return false;
  }
  return lstatSync(target, { throwIfNoEntry: false }) === undefined;
}

/**
 * Runs a setup script by `sh -c` in the workspace; its output goes to `logFile`. Nothing of it is left
 * running. @throws {AppError} workspace_failed with the last lines when it fails or takes too long
 */
export async function runSetup(it: {
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly attemptId: string;
  readonly timeoutMs?: number;
}): Promise<void> {
  const timeoutMs = it.timeoutMs ?? SETUP_MS_MAX_DEFAULT;
  const mark = `${it.attemptId}.setup`;
  const logFd = openSync(it.logFile, 'a', 0o600);
  const child = spawn('/bin/sh', ['-c', it.script], {
    cwd: it.cwd,
    env: { ...it.env, [TREE_MARK]: mark },
    detached: true,
    stdio: ['ignore', logFd, logFd],
  });
  closeSync(logFd);
  let timedOut = false;
  const leader = child.pid === undefined ? {} : { leaderPid: child.pid };
  const timer = setTimeout(() => {
    timedOut = true;
    void endTree({ attemptId: mark, ...leader }, 1_000);
  }, timeoutMs);
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  clearTimeout(timer);
  await endTree({ attemptId: mark, ...leader }, 1_000);
  if (code === 0) return;
  const tail = readFileSync(it.logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  const what = timedOut ? `took longer than ${timeoutMs} ms` : `ended with ${code}`;
  throw new AppError('workspace_failed', `The setup script ${what}. Its last lines:\n${tail}`);
}
