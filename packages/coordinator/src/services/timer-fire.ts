import { listDueTimers } from '@baton/store';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';
import type { Reconciler } from '../service.ts';

/** Timers set by other replicas are seen this late at worst. */
const intervalMs = 500;
const perPassMax = 500;

/** Fires what is due. A timer that was set for another epoch or generation has no effect. */
export interface TimerFire extends Reconciler {
  /** Timers were set for these instants; wakes in time for the earliest. */
  expect(dueAtMs: readonly number[]): void;
}

export function createTimerFire(ports: ServicePorts): TimerFire {
  let wake: NodeJS.Timeout | undefined;
  let wakeAtMs = Number.POSITIVE_INFINITY;

  const reconciler = createReconciler({
    name: 'timer-fire',
    intervalMs,
    log: ports.log,
    again: (found) => found === perPassMax,
    async runOnce() {
      const due = await listDueTimers(ports.db, perPassMax);
      await Promise.all(
        due.map((row) =>
          ports.submit({
            type: 'timer.fire',
            project: row.projectId,
            actor: { kind: 'timer', id: row.id, name: row.kind },
            timer: row.id,
          }),
        ),
      );
      return due.length;
    },
  });

  return {
    ...reconciler,
    expect(dueAtMs) {
      const earliest = Math.min(...dueAtMs);
      const nowMs = ports.clock.nowMs();
      if (earliest >= wakeAtMs || earliest - nowMs > intervalMs) return;
      clearTimeout(wake);
      wakeAtMs = earliest;
      wake = setTimeout(
        () => {
          wakeAtMs = Number.POSITIVE_INFINITY;
          reconciler.nudge();
        },
        Math.max(0, earliest - nowMs),
      );
      wake.unref();
    },
    async stop() {
      clearTimeout(wake);
      await reconciler.stop();
    },
  };
}
