import { setTimeout as sleep } from 'node:timers/promises';
import {
  findSupervisor,
  reopenAttemptDir,
  settleLost,
  type SupervisorClient,
} from '../supervisor/client.ts';
import type { SupervisorPool } from '../supervisor/pool.ts';
import { findExit, type LaunchInput } from '../supervisor/records.ts';

/** The agent of one turn under its supervisor, which may be older than this daemon. */
export interface AgentProcess {
  /** Undefined before the start and once the agent has ended. */
  readonly client: SupervisorClient | undefined;
  /** Takes up the agent that a daemon before this one started. `never_started`: `start` may follow. */
  find(): Promise<'running' | 'exited' | 'never_started'>;
  /** Starts it; resolves when it runs, or has failed to and `exit.json` says why. */
  start(pool: SupervisorPool, launch: LaunchInput): Promise<void>;
  /** Connects anew after a failed call; undefined once the agent has ended. */
  reconnect(): Promise<SupervisorClient | undefined>;
  /**
   * Ends the whole tree: TERM, `graceMs`, KILL. Resolves when it is gone and `exit.json` is there. A supervisor
   * that has not done it after `patienceMs` more is ended too.
   */
  end(reason: string, graceMs: number, patienceMs: number): Promise<void>;
  /** Lets go of it; the agent goes on. */
  close(): void;
}

const lookMs = 20;
const settleGraceMs = 500;

/** Nothing is looked for or started yet. */
export function createAgentProcess(dir: string, attemptId: string): AgentProcess {
  let client: SupervisorClient | undefined;
  let connecting: Promise<SupervisorClient | undefined> | undefined;

  function use(fresh: SupervisorClient | undefined): void {
    if (client !== fresh) client?.close();
    client = fresh;
  }

  async function find(): ReturnType<AgentProcess['find']> {
    const found = await findSupervisor(dir);
    use(found.status === 'running' ? found.client : undefined);
    if (found.status === 'running' || found.status === 'exited') return found.status;
    if (found.status === 'never_started' && reopenAttemptDir(dir)) return 'never_started';
    await settleLost(dir, attemptId, settleGraceMs);
    return 'exited';
  }

  async function reconnect(): Promise<SupervisorClient | undefined> {
    if (findExit(dir) !== undefined) {
      use(undefined);
      return undefined;
    }
    const status = await find();
    if (status === 'never_started') await settleLost(dir, attemptId, settleGraceMs);
    return client;
  }

  async function awaitExit(msMax: number): Promise<boolean> {
    const untilMs = performance.now() + msMax;
    while (findExit(dir) === undefined) {
      if (performance.now() > untilMs) return false;
      await sleep(lookMs);
    }
    return true;
  }

  return {
    get client() {
      return client;
    },
    find,
    async start(pool, launch) {
      const started = await pool.start(dir, launch);
      if (started !== undefined) await find();
    },
    reconnect() {
      connecting ??= reconnect().finally(() => (connecting = undefined));
      return connecting;
    },
    async end(reason, graceMs, patienceMs) {
      if (findExit(dir) !== undefined) return;
      // Not awaited: one that hangs does not answer either.
      client?.stop(reason, graceMs).catch(() => undefined);
      if (client !== undefined && (await awaitExit(graceMs + patienceMs))) return;
      await settleLost(dir, attemptId, settleGraceMs);
    },
    close() {
      use(undefined);
    },
  };
}

/** Ends the agent of a turn, if it still runs; nothing is read of it. See `AgentProcess.end`. */
export async function endAgent(
  dir: string,
  attemptId: string,
  reason: string,
  graceMs: number,
  patienceMs: number,
): Promise<void> {
  const agent = createAgentProcess(dir, attemptId);
  try {
    if ((await agent.find()) === 'running') await agent.end(reason, graceMs, patienceMs);
  } finally {
    agent.close();
  }
}
