import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@baton/contract';
import { backoffMs, type Client } from '@baton/sdk';
import { EXIT_CODES } from '../exit-codes.ts';
import { BATON_BIN } from './program-path.ts';
import { hasJoined, workerDir } from './worker-identity.ts';
import type { ParentMessage } from './worker-end.ts';

/** What the worker of `baton up` is started with. */
export interface LocalWorkerOptions {
  readonly client: Client;
  readonly url: string;
  readonly dataDir: string;
  readonly name: string;
  readonly slots: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logPath: string;
  /** Told when it ended by itself and is started again. */
  readonly onRestart: (why: string, inMs: number) => void;
}

/** The worker of `baton up`: a process of its own, so that neither's crash is the other's. */
export interface LocalWorker {
  /** Takes no new work, gives agents 10 s, leaves the rest to the next start; resolves when it is gone. */
  stop(): Promise<void>;
}

const RESTART_BACKOFF = { minMs: 1_000, maxMs: 30_000 };
/** After this long in service a crash is taken for a new one. */
const STEADY_MS = 60_000;
const STOP_MS_MAX = 20_000;
const TOKEN_SECONDS = 600;

/** Starts it, and again whenever it ends; resolves once the process runs, not when it has connected. */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  mkdirSync(dirname(options.logPath), { recursive: true, mode: 0o700 });
  let child: ChildProcess | undefined;
  let isStopping = false;
  let failures = 0;
  let wantsToken = !hasJoined(workerDir(options.dataDir, options.name));
  let timer: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    const token = wantsToken ? await mintToken(options) : undefined;
    if (isStopping) return;
    const startedAtMs = performance.now();
    const started = spawnWorker(options, token);
    child = started;
    wantsToken = false;
    started.once('close', (code, signal) => {
      if (isStopping) return;
      // Its key is no longer known there: it may join again under its own name.
      if (code === EXIT_CODES.auth.code) wantsToken = true;
      if (performance.now() - startedAtMs > STEADY_MS) failures = 0;
      restart(signal === null ? `exit code ${code}` : signal);
    });
  }

  function restart(why: string): void {
    const inMs = backoffMs(RESTART_BACKOFF, failures, Math.random());
    failures += 1;
    options.onRestart(why, inMs);
    timer = setTimeout(() => {
      start().catch((error: unknown) => {
        restart(error instanceof AppError ? error.message : String(error));
      });
    }, inMs);
  }

  await start();
  return {
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      const last = child;
      if (last === undefined || last.exitCode !== null || last.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => last.once('close', () => resolve()));
      const message: ParentMessage = { say: 'drain' };
      if (last.connected) last.send(message);
      const kill = setTimeout(() => last.kill('SIGKILL'), STOP_MS_MAX);
      await gone;
      clearTimeout(kill);
    },
  };
}

async function mintToken({ client, name }: LocalWorkerOptions): Promise<string> {
  const { token } = await client.workers.createToken({ name, expires_in: TOKEN_SECONDS });
  return token;
}

/**
 * Environment of the worker, and by it of its agents. Keys of this process are not theirs; the join token
 * goes by the environment, not argv. Under `node --watch` a child would report its imports over the
 * channel on which its parent waits for its word.
 */
export function workerEnv(
  own: Readonly<Record<string, string | undefined>>,
  token: string | undefined,
): Record<string, string | undefined> {
  const isKept = (name: string): boolean =>
    !name.startsWith('BATON_') && name !== 'DATABASE_URL' && name !== 'WATCH_REPORT_DEPENDENCIES';
  const env = Object.fromEntries(Object.entries(own).filter(([name]) => isKept(name)));
  return token === undefined ? env : { ...env, BATON_JOIN_TOKEN: token };
}

function spawnWorker(options: LocalWorkerOptions, token: string | undefined): ChildProcess {
  const args = [
    BATON_BIN,
    'worker',
    '--json',
    '--parented',
    '--leave-running',
    '--inherit-env',
    ...['--url', options.url],
    ...['--data-dir', options.dataDir],
    ...['--name', options.name],
    ...(options.slots === undefined ? [] : ['--slots', String(options.slots)]),
  ];
  const env = workerEnv(options.env, token);
  const log = openSync(options.logPath, 'a', 0o600);
  try {
    return spawn(process.execPath, args, {
      env,
      // Its own process group: Ctrl-C at the terminal reaches `up`, which ends it in good order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}
