import type { Capabilities } from '@baton/contract';
import { openDirectoryLock } from '@baton/directory-lock';
import { mkdirSync } from 'node:fs';
import { openGate } from './admission.ts';
import { installBaton } from './attempts/agent-env.ts';
import { createAttemptSet } from './attempts/attempt-set.ts';
import type { Runner } from './attempts/runner-ports.ts';
import { createUploader } from './attempts/uploads.ts';
import { bounded } from './bounded.ts';
import { detectCapabilities, type Declared } from './capabilities.ts';
import { workerConfig, type WorkerConfig, type WorkerConfigInput } from './config.ts';
import { createDeliveries } from './deliveries.ts';
import { sweepKept } from './housekeeping.ts';
import { createMembership, obtainIdentity, type Identity } from './identity.ts';
import { keyRefused, openLink, type Link } from './link/link.ts';
import type { Log } from './log.ts';
import { createReceiver } from './receive.ts';
import { allDone, createStopper, type StopMode } from './stop.ts';
import { openSupervisorPool } from './supervisor/pool.ts';
import { openWorkspaces } from './workspaces/workspaces.ts';

/** What a worker is started with. */
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
  const membership = createMembership(config, declared, opened.identity);
  const workspaces = openWorkspaces({ dataDir: config.dataDir });
  const pool = openSupervisorPool({ size: config.warmSupervisors });
  const link: Link = openLink({
    url: config.url,
    key: () => membership.key,
    log,
    hello: () => ({
      version: config.version,
      slots: config.slots,
      labels: { ...declared.labels },
      capabilities,
      draining: gate.isShut,
      attempts: attempts.list().map((it) => ({ ...nameOf(it), ended: it.ended })),
    }),
    // Bare: progress and usage travel by themselves, when there is news.
    beat: () => attempts.list().map(nameOf),
    onFrame: (frame) => receive(frame),
    onRefused: () => membership.rejoin(),
  });
  const uploader = createUploader(config, (attempt) => workspaces.find(attempt)?.path);
  const ports = { config, link, log, pool, workspaces, uploader, repos: () => capabilities.repos };
  const attempts = createAttemptSet(ports);
  const deliveries = createDeliveries(ports);
  const gate = openGate(config, link, log);
  const receive = createReceiver({ attempts, deliveries, link, log, gate });
  const sweep = (): void => {
    sweepKept(config.dataDir, workspaces, log, (id) => attempts.find(id) !== undefined).catch(
      (error: unknown) => log.warn({ error }, 'old attempts could not be swept'),
    );
  };
  const sweeper = setInterval(sweep, sweepMs).unref();

  async function close(): Promise<void> {
    clearInterval(sweeper);
    gate.stop();
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
  return {
    get id() {
      return membership.id;
    },
    name: config.name,
    capabilities,
    get live() {
      return attempts.size;
    },
    get isConnected() {
      return link.isOpen;
    },
    drain: () => gate.shut(),
    stop: createStopper({ attempts, link, close, drain: () => gate.shut() }),
  };
}

function nameOf({ assignment: { attempt } }: Runner): { id: string; epoch: number } {
  return { id: attempt.id, epoch: attempt.epoch };
}
