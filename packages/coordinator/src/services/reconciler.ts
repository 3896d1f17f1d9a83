import type { Log } from '../log.ts';
import type { Reconciler } from '../service.ts';

interface Settings {
  readonly name: string;
  /** Longest pause between two passes. */
  readonly intervalMs: number;
  /** Pause after a pass that filled its bound, because more is likely waiting. */
  readonly again?: (found: number) => boolean;
  readonly log: Log;
  readonly runOnce: () => Promise<number>;
}

/** Runs `runOnce` every `intervalMs`, at once after a nudge, and never twice at a time. */
export function createReconciler(settings: Settings): Reconciler {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let nudged = false;
  let stopped = true;

  async function pass(): Promise<void> {
    nudged = false;
    try {
      const found = await settings.runOnce();
      if (settings.again?.(found) === true) nudged = true;
    } catch (error) {
      if (!stopped) settings.log.warn({ error, service: settings.name }, 'a pass failed');
    }
  }

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(begin, delayMs);
    timer.unref();
  }

  function begin(): void {
    if (running !== undefined) return;
    running = pass().finally(() => {
      running = undefined;
      schedule(nudged ? 0 : settings.intervalMs);
    });
  }

  return {
    name: settings.name,
    runOnce: settings.runOnce,
    start() {
      stopped = false;
      schedule(0);
      return Promise.resolve();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
    nudge() {
      nudged = true;
      if (running === undefined) schedule(0);
    },
  };
}
