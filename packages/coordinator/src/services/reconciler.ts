import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';

interface Settings {
  readonly name: string;
  /** Longest pause between two passes; asked after each where it changes. */
  readonly intervalMs: number | (() => number);
  /** Pause after a pass that filled its bound, because more is likely waiting. */
  readonly again?: (found: number) => boolean;
  readonly ports: Pick<ServicePorts, 'log' | 'runtime'>;
  readonly runOnce: () => Promise<number>;
}

/** Runs `runOnce` every `intervalMs`, at once after a nudge, and never twice at a time. */
export function createReconciler(settings: Settings): Reconciler {
  const { log, runtime } = settings.ports;
  let callOff: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let nudged = false;
  let stopped = true;

  async function pass(): Promise<void> {
    nudged = false;
    try {
      const found = await settings.runOnce();
      if (settings.again?.(found) === true) nudged = true;
    } catch (error) {
      if (!stopped) log.warn({ error, service: settings.name }, 'a pass failed');
    }
  }

  const pauseMs = (): number =>
    typeof settings.intervalMs === 'number' ? settings.intervalMs : settings.intervalMs();

  function schedule(delayMs: number): void {
    callOff?.();
    if (stopped) return;
    callOff = runtime.after(delayMs, begin);
  }

  function begin(): void {
    if (running !== undefined) return;
    running = pass().finally(() => {
      running = undefined;
      schedule(nudged ? 0 : pauseMs());
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
      callOff?.();
      await running;
    },
    nudge() {
      nudged = true;
      if (running === undefined) schedule(0);
    },
  };
}
