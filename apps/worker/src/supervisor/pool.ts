import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PoolMessage, SupervisorMessage } from './main.ts';
import { findExit, findState, parseLaunch, type LaunchInput } from './records.ts';
import type { Started } from './supervise.ts';

/** Supervisors that wait, warm, for an attempt: starting an agent then costs one spawn. */
export interface SupervisorPool {
  /**
   * Starts the agent of `attemptDir` under a supervisor of its own, detached from this process.
   * Undefined when the agent could not be started; then `exit.json` says why. Rejects when the
   * directory was taken before or the launch is malformed.
   */
  start(attemptDir: string, launch: LaunchInput): Promise<Started | undefined>;
  /** How many wait right now. */
  readonly idle: number;
  /** Resolves when the pool is full (or could not be filled within a minute). */
  ready(): Promise<void>;
  /** Ends the waiting ones; supervisors at work go on. */
  close(): void;
}

/** Node starts in a tenth of a second, and in many on a machine that is drowned in work. */
const READY_MS_MAX = 60_000;
const REFILL_DELAY_MS = 20;
/** Supervisors hold little: a small heap keeps each under 60 MB. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=96', '--v8-pool-size=0'];

/** Keeps `size` supervisors warm (0: each start costs a fresh Node process, about 40 ms more). */
export function openSupervisorPool(options: {
  readonly size: number;
  /** Entry point; default: the `main` beside this file. */
  readonly entry?: string;
}): SupervisorPool {
  const waiting: { readonly child: ChildProcess; readonly ready: Promise<boolean> }[] = [];
  let isClosed = false;

  const refill = (): void => {
    while (!isClosed && waiting.length < options.size) {
      const child = spawnSupervisor(options.entry);
      const member = { child, ready: becomesReady(child) };
      waiting.push(member);
      child.once('exit', () => {
        const at = waiting.indexOf(member);
        if (at >= 0) waiting.splice(at, 1);
      });
    }
  };
  refill();

  const take = async (): Promise<ChildProcess> => {
    for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
      member.child.channel?.ref();
      if (await member.ready) return member.child;
      member.child.kill('SIGKILL');
    }
    const child = spawnSupervisor(options.entry);
    child.channel?.ref();
    if (await becomesReady(child)) return child;
    child.kill('SIGKILL');
    throw new Error('a supervisor process could not be started');
  };

  return {
    get idle() {
      return waiting.length;
    },
    async ready() {
      for (const { child } of waiting) child.channel?.ref();
      await Promise.all(waiting.map((member) => member.ready));
      for (const { child } of waiting) child.channel?.unref();
    },
    async start(attemptDir, launch) {
      const message: PoolMessage = { dir: attemptDir, launch: parseLaunch(launch) };
      const child = await take();
      try {
        return await handOver(child, message);
      } finally {
        if (child.connected) child.disconnect();
        child.unref();
        // Later, so that the new one does not compete with the agent that just starts.
        setTimeout(refill, REFILL_DELAY_MS).unref();
      }
    },
    close() {
      isClosed = true;
      for (const { child } of waiting.splice(0)) {
        if (child.connected) child.disconnect();
        child.unref();
      }
    },
  };
}

/** A supervisor process of its own session; knows nothing yet. */
function spawnSupervisor(entry: string | undefined): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  const main = entry ?? fileURLToPath(new URL(isSource ? 'main.ts' : 'main.js', import.meta.url));
  const child = spawn(process.execPath, [...NODE_FLAGS, ...loaderFlags(main), main], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Waiting must not keep the daemon alive.
  child.unref();
  child.channel?.unref();
  child.on('error', () => {});
  return child;
}

function loaderFlags(main: string): readonly string[] {
  if (!main.endsWith('.ts')) return [];
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return ['--import', pathToFileURL(tsx).href];
}

async function becomesReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), READY_MS_MAX);
    timer.unref();
    const settle = (isReady: boolean): void => {
      clearTimeout(timer);
      resolve(isReady);
    };
    child.once('message', (message: SupervisorMessage) => settle(message.type === 'ready'));
    child.once('exit', () => settle(false));
    child.once('error', () => settle(false));
  });
}

async function handOver(child: ChildProcess, message: PoolMessage): Promise<Started | undefined> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => {
      // A short-lived agent may be over before its supervisor's word arrived: the files tell.
      const state = findState(message.dir);
      if (state !== undefined) resolve(state);
      else if (findExit(message.dir) !== undefined) resolve(undefined);
      else reject(new Error('the supervisor ended before it started the agent'));
    });
    child.once('message', (reply: SupervisorMessage) => {
      if (reply.type === 'started') resolve(reply.started);
      else if (reply.type === 'ended') resolve(undefined);
      else reject(new Error(reply.type === 'refused' ? reply.why : 'unexpected message'));
    });
    child.send(message, (error) => {
      if (error) reject(error);
    });
  });
}
