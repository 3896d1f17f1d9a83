import { setTimeout as pause } from 'node:timers/promises';
import { newId } from './ids.ts';

/**
 * What the process lends to the coordinator: clocks, timers, new ids, chance. Nothing in this package
 * takes them from elsewhere, so that it can be run in a simulation.
 */
export interface Runtime {
  /** A clock of this process that never goes back; milliseconds from anywhere. */
  readonly monotonicMs: () => number;
  /** The machine's clock, epoch milliseconds; it may jump. Never used for a decision about work. */
  readonly wallMs: () => number;
  /** Calls once after a delay, without keeping the process alive. Answers what calls it off. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves when what arrives at the same time has arrived. */
  readonly turn: () => Promise<void>;
  /** A new public id with a prefix. Sorts by age. */
  readonly newId: (prefix: string) => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The process itself. */
export const processRuntime: Runtime = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep: (ms) => pause(ms),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  newId,
  random: Math.random,
};
