import type { Assignment, Capabilities, ServerFrame } from '@baton/contract';
import { openDirectoryLock } from '@baton/directory-lock';
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { installBaton } from './attempts/agent-env.ts';
import { openAttemptFiles } from './attempts/files.ts';
import { startRunner, type Runner, type RunnerPorts } from './attempts/runner.ts';
import { createUploader } from './attempts/uploads.ts';
import { detectCapabilities, type Declared } from './capabilities.ts';
import { workerConfig, type WorkerConfigInput } from './config.ts';
import { createDeliveries } from './deliveries.ts';
import { sweepKept } from './housekeeping.ts';
import { obtainIdentity } from './identity.ts';
import { openLink, type Link } from './link/link.ts';
import type { Log } from './log.ts';
import { listAttemptDirs } from './spool/attempt-dir.ts';
import { openSupervisorPool } from './supervisor/pool.ts';
import { openWorkspaces } from './workspaces/workspaces.ts';

export interface WorkerSettings {
  readonly config: WorkerConfigInput;
  readonly log: Log;
}

/** What a worker does about its agents when it stops. */
export interface StopMode {
  /** Agents go on without it; the next start of the same data directory takes them up again. */
  readonly leaveRunning?: boolean;
  /** Time for agents to finish before their tasks are handed back. */
  readonly graceMs?: number;
  /** Told each task that is still running when the stop begins. */
  readonly onWaiting?: (task: string) => void;
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

const drainMs = 10_000;
const sweepMs = 60 * 60_000;

/**
 * Starts a worker: takes its data directory, joins, takes up the agents that ran on while no daemon
 * was there, and connects.
 * @throws {AppError} data_dir_in_use, join_token_invalid, worker_exists, control_plane_unreachable, bad_config
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
    return openWorker({ config, log, declared, identity, unlock: () => lock.close() });
  } catch (error) {
    await lock.close();
    throw error;
  }
}

interface Opened {
  readonly config: RunnerPorts['config'];
  readonly log: Log;
  readonly declared: Declared;
  readonly identity: { readonly id: string; readonly key: string };
  readonly unlock: () => Promise<void>;
}

function openWorker(opened: Opened): Worker {
  const { config, log, identity } = opened;
  const { capabilities, labels } = opened.declared;
  const runners = new Map<string, Runner>();
  const workspaces = openWorkspaces({ dataDir: config.dataDir });
  const pool = openSupervisorPool({ size: config.warmSupervisors });
  const hurry = new AbortController();
  let draining = false;
  let stopping: Promise<void> | undefined;

  const link: Link = openLink({
    url: config.url,
    key: identity.key,
    log,
    hello: () => ({
      version: config.version,
      slots: config.slots,
      labels: { ...labels },
      capabilities,
      draining,
      attempts: [...runners.values()].map((it) => ({
        id: it.assignment.attempt.id,
        epoch: it.assignment.attempt.epoch,
        ended: it.ended,
      })),
    }),
    beat: () => [...runners.values()].map((it) => it.beat()),
    onFrame: receive,
  });
  const uploader = createUploader(config, (attempt) => workspaces.find(attempt)?.path);
  const ports: RunnerPorts = {
    config,
    link,
    log,
    pool,
    workspaces,
    uploader,
    repos: () => capabilities.repos,
  };
  const deliveries = createDeliveries({ link, log, workspaces, repos: ports.repos });

  function take(it: Assignment): void {
    const known = runners.get(it.attempt.id);
    if (known !== undefined) return;
    const files = openAttemptFiles(config.dataDir, it.attempt.id);
    if (files.isDone()) return;
    files.saveAssignment(it);
    begin(it);
  }

  function begin(it: Assignment): void {
    const files = openAttemptFiles(config.dataDir, it.attempt.id);
    const runner = startRunner(ports, it, files);
    runners.set(it.attempt.id, runner);
    void runner.done.then(() => runners.delete(it.attempt.id));
  }

  function receive(frame: ServerFrame): void {
    switch (frame.type) {
      case 'assign':
        take(frame.assignment);
        return;
      case 'cancel':
        runners.get(frame.attempt)?.cancel(frame.reason, frame.grace_seconds * 1_000);
        return;
      case 'welcome':
        for (const id of frame.stop) runners.get(id)?.abandon('stale_epoch');
        return;
      case 'stale':
        for (const id of frame.attempts) runners.get(id)?.abandon('stale_epoch');
        return;
      case 'log_ack':
      case 'checkpoint_resolved':
        runners.get(frame.attempt)?.frame(frame);
        return;
      case 'deliver':
        deliveries.take(frame.order);
        return;
      case 'drain':
        draining = frame.draining;
        return;
      case 'bye':
        log.info({ reason: frame.reason }, 'the control plane says goodbye');
        return;
      case 'message':
      case 'task_updated':
      case 'ack':
        return;
    }
  }

  /** Attempts that a daemon before this one did not report to their end. */
  function recover(): void {
    for (const { attemptId } of listAttemptDirs(config.dataDir)) {
      const files = openAttemptFiles(config.dataDir, attemptId);
      const assignment = files.isDone() ? undefined : files.assignment();
      if (assignment !== undefined) begin(assignment);
    }
  }

  async function shutDown(mode: StopMode): Promise<void> {
    draining = true;
    link.say({ type: 'drain', draining: true });
    clearInterval(sweeper);
    if (mode.leaveRunning !== true) {
      for (const it of runners.values()) mode.onWaiting?.(it.assignment.task.key);
      await settled(mode.graceMs ?? drainMs);
      for (const it of runners.values()) it.release('the worker stops');
      await settled(drainMs);
    }
    link.stop();
    pool.close();
    await opened.unlock();
  }

  async function settled(patienceMs: number): Promise<void> {
    const all = Promise.all([...runners.values()].map((it) => it.done));
    await Promise.race([all, sleep(patienceMs, undefined, { signal: hurry.signal }).catch(() => {})]);
  }

  const sweeper = setInterval(() => {
    sweepKept(config.dataDir, workspaces, log).catch((error: unknown) =>
      log.warn({ error }, 'old attempts could not be swept'),
    );
  }, sweepMs);
  sweeper.unref();

  recover();
  link.start();

  return {
    id: identity.id,
    name: config.name,
    capabilities,
    get live() {
      return runners.size;
    },
    get isConnected() {
      return link.isOpen;
    },
    drain() {
      draining = true;
      link.say({ type: 'drain', draining: true });
    },
    stop(mode = {}) {
      if (stopping !== undefined) hurry.abort();
      stopping ??= shutDown(mode);
      return stopping;
    },
  };
}
