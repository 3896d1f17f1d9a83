import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptSet } from './attempts/attempt-set.ts';
import type { Runner } from './attempts/runner-ports.ts';
import { bounded } from './bounded.ts';
import type { Link } from './link/link.ts';

/** What a worker does about its agents when it stops. */
export interface StopMode {
  /** Agents go on without it; the next start of the same data directory takes them up again. */
  readonly leaveRunning?: boolean;
  /** Time for agents to finish before their tasks are handed back. */
  readonly graceMs?: number;
  /** Told each task that is still running when the stop begins. */
  readonly onWaiting?: (task: string) => void;
}

const drainMs = 10_000;
/** For an agent that is ended because the worker stops, and for the word of it. */
const releaseMs = 12_000;
const releaseGraceMs = 5_000;
/** The same for a stop that was asked for twice. */
const hurriedMs = 3_000;
const hurriedGraceMs = 1_000;

/** What a stop works with. */
export interface Stopper {
  readonly attempts: AttemptSet;
  readonly link: Link;
  readonly drain: () => void;
  readonly close: () => Promise<void>;
}

/** The stop of a worker: agents finish, or hand their tasks back, or are left running. */
export function createStopper(it: Stopper): (mode?: StopMode) => Promise<void> {
  const { attempts } = it;
  const hurry = new AbortController();
  let stopping: Promise<void> | undefined;

  async function shutDown(mode: StopMode): Promise<void> {
    it.drain();
    if (mode.leaveRunning !== true) {
      for (const { assignment, isHeld } of attempts.list()) {
        if (!isHeld) mode.onWaiting?.(assignment.task.key);
      }
      await bounded(settled(), mode.graceMs ?? drainMs, hurry.signal);
      if (hurry.signal.aborted) await handBack(hurriedGraceMs, hurriedMs);
      else if (!(await handBack(releaseGraceMs, releaseMs, hurry.signal))) {
        await handBack(hurriedGraceMs, hurriedMs);
      }
    }
    await it.close();
  }

  /** Resolves to false when it was hurried before all was settled. */
  async function handBack(graceMs: number, msMax: number, signal?: AbortSignal): Promise<boolean> {
    for (const runner of attempts.list()) runner.release('the worker stops', graceMs);
    await bounded(settled(), msMax, signal);
    return signal?.aborted !== true;
  }

  /** Nothing runs, and what there is to tell is told, or kept for the next start while nobody listens. */
  async function settled(): Promise<void> {
    // A held one has no process, and stays for the next start.
    const open = (): readonly Runner[] =>
      attempts.list().filter((runner) => !runner.isHeld && (!runner.ended || it.link.isOpen));
    while (open().length > 0) {
      await Promise.race([allDone(attempts), sleep(100, undefined, { ref: false })]);
    }
  }

  return (mode = {}) => {
    if (stopping !== undefined) hurry.abort();
    stopping ??= shutDown(mode);
    return stopping;
  };
}

/** Resolves when nothing that runs now has anything left to tell. */
export async function allDone(attempts: AttemptSet): Promise<void> {
  await Promise.all(attempts.list().map((runner) => runner.done));
}
