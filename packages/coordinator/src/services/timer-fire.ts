import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createSweep } from './sweep.ts';

/** Timers set by other replicas are seen this late at worst. */
const intervalMs = 500;

/** Fires what is due. A timer that was set for another epoch or generation has no effect. */
export interface TimerFire extends Reconciler {
  /** Timers were set for these instants; wakes in time for the earliest. */
  expect(dueAtMs: readonly number[]): void;
}

/** Its sweep finds what other replicas set; `expect` makes it punctual for ours. */
export function createTimerFire(ports: ServicePorts): TimerFire {
  let callOff: (() => void) | undefined;
  let wakeAtMs = Number.POSITIVE_INFINITY;

  const sweep = createSweep(ports, {
    name: 'timer-fire',
    intervalMs,
    perPassMax: 500,
    find: (limit) => ports.store.listDueTimers(limit),
    command: (row) => ({
      type: 'timer.fire',
      project: row.projectId,
      actor: { kind: 'timer', id: row.id, name: row.kind },
      timer: row.id,
      ...(row.kind === 'idle_timeout' ? { loggedAtMs: row.loggedAtMs } : {}),
    }),
  });

  return {
    ...sweep,
    expect(dueAtMs) {
      const earliest = Math.min(...dueAtMs);
      const nowMs = ports.clock.nowMs();
      if (earliest >= wakeAtMs || earliest - nowMs > intervalMs) return;
      callOff?.();
      wakeAtMs = earliest;
      callOff = ports.runtime.after(Math.max(0, earliest - nowMs), () => {
        wakeAtMs = Number.POSITIVE_INFINITY;
        sweep.nudge();
      });
    },
    async stop() {
      callOff?.();
      await sweep.stop();
    },
  };
}
