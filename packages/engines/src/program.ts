import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Env } from './engine.ts';
import { ENGINE_LIMITS } from './engine.ts';

/** Absolute path of an executable on the PATH of `env`; undefined when there is none. */
export async function findProgram(name: string, env: Env): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [name]
    : (env['PATH'] ?? '')
        .split(delimiter)
        .filter((folder) => isAbsolute(folder))
        .map((folder) => join(folder, name));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Whether a file is there and may be read. */
export async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a short program printed. `code` is null when it was killed or could not start. */
export interface ProgramAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly timedOut: boolean;
}

/** Runs a program that answers quickly, without input, within `detectMsMax`. Never throws. */
export function runProgram(
  path: string,
  args: readonly string[],
  env: Env,
  timeoutMs: number = ENGINE_LIMITS.detectMsMax,
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const child = execFile(
      path,
      args,
      { env: { ...env }, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 },
      (error, stdout) => {
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : null,
          stdout,
          timedOut: error?.killed === true,
        });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end();
  });
}

/** The first version number in a text, as `1.2.3`; undefined when there is none. */
export function versionIn(text: string): string | undefined {
  return /\b(\d+\.\d+\.\d+)(?:[-+][\w.]+)?/.exec(text)?.[1];
}

/** True when version `a` (of form 1.2.3) is newer than `b`. */
export function isNewer(a: string, b: string): boolean {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let place = 0; place < 3; place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
