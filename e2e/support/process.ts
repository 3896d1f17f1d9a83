import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const batonBin = fileURLToPath(new URL('../../apps/cli/bin/baton.js', import.meta.url));

/** A `baton` process started by a test. */
export interface BatonProcess {
  readonly child: ChildProcess;
  /** Everything it wrote to standard error so far. */
  stderr(): string;
  stdout(): string;
  /** Resolves with the first line of standard output that `pick` accepts. */
  line(pick: (line: string) => boolean): Promise<string>;
  /** Sends a signal and waits for its end. Answers the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string>;
  /** Resolves when it has ended and all that it wrote is here. */
  readonly exited: Promise<number | string>;
}

/** Whether the process of a test has not ended. */
export function isAlive({ child }: BatonProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** What a process wrote is read to its end for so long; one that it left behind may hold the pipe open. */
const drainMs = 10_000;

/** Environment of a machine on which nothing of Baton is set. */
export function cleanEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('BATON_') && name !== 'DATABASE_URL')
      env[name] = value;
  }
  return { ...env, NO_COLOR: '1', ...extra };
}

/** Runs `baton` with arguments until it is ended. */
export function startBaton(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): BatonProcess {
  const child = spawn(process.execPath, [batonBin, ...args], {
    env: cleanEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let hasEnded = false;
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      const settle = (): void => {
        clearTimeout(timer);
        hasEnded = true;
        resolve(code ?? signal ?? 'unknown');
        wake();
      };
      // The last of its output may come after the word of its end.
      const timer = setTimeout(settle, drainMs);
      child.once('close', settle);
    });
  });
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    exited,
    line: (pick) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = out.split('\n').slice(0, -1).find(pick);
          if (found !== undefined) {
            watchers.delete(look);
            resolve(found);
          } else if (hasEnded) {
            watchers.delete(look);
            reject(new Error(`baton ${args.join(' ')} ended before that line:\n${out}\n${err}`));
          }
        };
        watchers.add(look);
        look();
      }),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exited;
    },
  };
}

/** Asks a process to end and, when it has not after so long, kills it. */
export async function endBaton(it: BatonProcess, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([it.end('SIGTERM'), patience]);
  clearTimeout(timer);
  await it.end('SIGKILL');
}

/** Runs `baton` to its end. */
export async function runBaton(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | string; readonly stdout: string; readonly stderr: string }> {
  const it = startBaton(args, env);
  const code = await it.exited;
  return { code, stdout: it.stdout(), stderr: it.stderr() };
}
