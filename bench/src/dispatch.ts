import type { Db } from '@baton/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { addWorker, execute, flatPlan, project, withCoordinator, submitPlan } from './fleet.ts';
import { isQuick } from './settings.ts';
import { summarize, type Summary } from './stats.ts';

/** Tasks before the first that counts: until then code is compiled. */
const warmUp = isQuick ? 0 : 1_000;

/**
 * One task at a time: from the call that submits it to its being handed to a waiting worker, in ms.
 * Before each sample nothing happens for `pauseMs`; 0: it follows the end of the one before at once.
 */
export function measureDispatch(db: Db, samples: number, pauseMs: number): Promise<Summary> {
  return withCoordinator(db, async (coordinator) => {
    const worker = await addWorker(coordinator, 'idle', 4);
    let handed: (at: { ms: number; attempt: string }) => void = () => undefined;
    let epoch = 0;
    coordinator.onCommitted((events) => {
      const claimed = events.find((event) => event.type === 'attempt.claimed');
      if (claimed !== undefined) epoch = Number(claimed.data['epoch'] ?? 0);
    });
    coordinator.onAssigned(({ attempts }) => {
      handed({ ms: performance.now(), attempt: attempts[0] ?? '' });
    });
    coordinator.parkWorker(worker, project, 4);
    const took: number[] = [];
    for (let sample = -warmUp; sample < samples; sample++) {
      if (pauseMs > 0 && sample >= 0) await sleep(pauseMs);
      const arrives = new Promise<{ ms: number; attempt: string }>((resolve) => (handed = resolve));
      const startedMs = performance.now();
      const submitted = submitPlan(coordinator, flatPlan(1));
      const { ms, attempt } = await arrives;
      if (sample >= 0) took.push(ms - startedMs);
      await submitted;
      await execute(coordinator, worker, attempt, epoch);
    }
    return summarize(took);
  });
}
