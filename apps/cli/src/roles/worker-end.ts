import type { Context } from '../context.ts';
import { paint, show } from '../terminal/shown.ts';
import type { WorkerRole } from './worker.ts';

/** How a worker ends. */
export interface EndOptions {
  readonly leaveRunning: boolean;
  /** How long agents may finish before their tasks are handed back; default: the worker's own. */
  readonly drainMs: number | undefined;
  /** Started by `baton up`, which says when to end over the channel between the two processes. */
  readonly isParented: boolean;
}

/** What `baton up` may say to its worker. */
export type ParentMessage = { readonly say: 'drain' };

const PARKING_MS = 10_000;
const LOOK_MS = 100;

/** Resolves when the worker was told to end and has. A second signal ends the program at once. */
export async function awaitWorkerEnd(
  role: WorkerRole,
  { signal, err }: Pick<Context, 'signal' | 'err'>,
  options: EndOptions,
): Promise<void> {
  let isDraining = false;
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
    if (!options.isParented) return;
    process.on('message', (message: ParentMessage) => {
      if (message.say !== 'drain') return;
      isDraining = true;
      role.drain();
      resolve();
    });
    // The control plane's process is gone without a word: its next start brings a new worker, which
    // takes up the agents that this one leaves running.
    process.on('disconnect', () => resolve());
  });
  if (!options.leaveRunning) {
    await role.stop({
      ...(options.drainMs === undefined ? {} : { graceMs: options.drainMs }),
      onWaiting: (task) => err.line(show`${paint.dim('waiting for')} ${task}`),
    });
    return;
  }
  if (isDraining) await quiet(role, signal);
  await role.stop({ leaveRunning: true });
}

/** Agents that finish within the time need not be parked. */
async function quiet(role: WorkerRole, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + PARKING_MS;
  while (role.live > 0 && performance.now() < untilMs && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
