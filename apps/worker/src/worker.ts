import type { Capabilities } from '@baton/contract';
import { openDirectoryLock } from '@baton/directory-lock';
import { mkdirSync } from 'node:fs';
import { freemem } from 'node:os';
import { defaultFloorBytes, watchMemory } from './admission.ts';
import { installBaton } from './attempts/agent-env.ts';
import { createAttemptSet } from './attempts/attempt-set.ts';
import { createUploader } from './attempts/uploads.ts';
import { detectCapabilities, type Declared } from './capabilities.ts';
import { workerConfig, type WorkerConfig, type WorkerConfigInput } from './config.ts';
import { createDeliveries } from './deliveries.ts';
import { sweepKept } from './housekeeping.ts';
import { joinWith, obtainIdentity, type Identity } from './identity.ts';
import { keyRefused, openLink, type Link } from './link/link.ts';
import type { Log } from './log.ts';
import { createReceiver } from './receive.ts';
import { allDone, bounded, createStopper, type StopMode } from './stop.ts';
import { openSupervisorPool } from './supervisor/pool.ts';
import { openWorkspaces } from './workspaces/workspaces.ts';

export interface WorkerSettings {
  readonly config: WorkerConfigInput;
  readonly log: Log;
}

/** A running worker. */
export interface Worker {
  readonly id: string;
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Attempts on this machine that have not been reported yet. */
  readonly live: number;
  readonly isConnected: boolean;
  /** Takes no more work; resolves at once. */
  drain(): void;
  /** Stops. Idempotent; a second call hurries the first. */
  stop(mode?: StopMode): Promise<void>;
}

const detachMs = 3_000;
const sweepMs = 60 * 60_000;

/**
 * Starts a worker: takes its data directory, joins, takes up the agents that ran on while no daemon
 * was there, and connects. Resolves when it is connected, or the control plane cannot be reached now.
 * @throws {AppError} data_dir_in_use, join_token_invalid, worker_exists, control_plane_unreachable,
 * bad_config, unauthenticated when its key is refused and it has no token
 */
export async function startWorker(settings: WorkerSettings): Promise<Worker> {
  const config = Object.freeze(workerConfig.parse(settings.config));
  const { log } = settings;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = await openDirectoryLock(config.dataDir);
  try {
    installBaton(config);
    const declared = await detectCapabilities(config);
    const identity = await obtainIdentity(config, declared);
    return await openWorker({ config, log, declared, identity, unlock: () => lock.close() });
  } catch (error) {
    await lock.close();
    throw error;
  }
}

interface Opened {
  readonly config: WorkerConfig;
  readonly log: Log;
  readonly declared: Declared;
  readonly identity: Identity;
  readonly unlock: () => Promise<void>;
}

async function openWorker(opened: Opened): Promise<Worker> {
  const { config, log, declared } = opened;
  const { capabilities } = declared;
  let { identity } = opened;
  let { token } = config;
  let isClosing = false;
  const workspaces = openWorkspaces({ dataDir: config.dataDir });
  const pool = openSupervisorPool({ size: config.warmSupervisors });

  const link: Link = openLink({
    url: config.url,
    key: () => identity.key,
    log,
    hello: () => ({
      version: config.version,
      slots: config.slots,
      labels: { ...declared.labels },
      capabilities,
      draining: isClosing,
      attempts: attempts.list().map(({ assignment: { attempt }, ended }) => ({
        id: attempt.id,
        epoch: attempt.epoch,
        ended,
      })),
    }),
    beat: () =>
      attempts
        .list()
        .map(({ assignment: { attempt } }) => ({ id: attempt.id, epoch: attempt.epoch })),
    onFrame: (frame) => receive(frame),
    async onRefused() {
      if (token === undefined) return false;
      const given = token;
      // Once: a token that was used up would be refused each time.
      token = undefined;
      identity = await joinWith(config, declared, given);
      return true;
    },
  });
  const uploader = createUploader(config, (attempt) => workspaces.find(attempt)?.path);
  const ports = { config, link, log, pool, workspaces, uploader, repos: () => capabilities.repos };
  const attempts = createAttemptSet(ports);
  const deliveries = createDeliveries(ports);
  const memory = watchMemory({
    floorBytes: config.freeMemoryBytesMin ?? defaultFloorBytes(),
    free: freemem,
    onChange(isOpen) {
      log.warn(
        { isOpen },
        isOpen ? 'memory is free again: work is welcome' : 'memory is short: no new work',
      );
      sayFree();
    },
  });
  const receive = createReceiver({
    attempts,
    deliveries,
    link,
    log,
    isClosing: () => isClosing,
    sayFree,
  });
  const sweep = (): void => {
    sweepKept(config.dataDir, workspaces, log, (id) => attempts.find(id) !== undefined).catch(
      (error: unknown) => log.warn({ error }, 'old attempts could not be swept'),
    );
  };
  const sweeper = setInterval(sweep, sweepMs).unref();

  /**
   * How many tasks are welcome. An upper bound, said once and not for each task: the control plane itself
   * counts those that this worker has.
   */
  function sayFree(): void {
    link.say({ type: 'slots', free: isClosing || !memory.isOpen ? 0 : config.slots });
  }

  async function close(): Promise<void> {
    clearInterval(sweeper);
    memory.stop();
    for (const it of attempts.list()) it.detach();
    await bounded(allDone(attempts), detachMs);
    link.stop();
    pool.close();
    await opened.unlock();
  }

  attempts.recover();
  if ((await link.start()) === 'refused') {
    await close();
    throw keyRefused();
  }
  sweep();

  const drain = (): void => {
    isClosing = true;
    sayFree();
  };
  return {
    get id() {
      return identity.id;
    },
    name: config.name,
    capabilities,
    get live() {
      return attempts.size;
    },
    get isConnected() {
      return link.isOpen;
    },
    drain,
    stop: createStopper({ attempts, link, close, drain }),
  };
}
