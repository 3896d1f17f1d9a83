import type { Db } from '@baton/store';
import { addWorker, execute, flatPlan, startCoordinator, submitPlan } from './fleet.ts';

const runSize = 500;
const workers = 8;
const slots = 32;

/**
 * Full lifecycles a second: create, claim, start, finish; fenced, with events, cascade and run
 * completion, each write acknowledged durably. `count` tasks in runs of 500, eight workers of 32 slots.
 */
export async function measureLifecycles(db: Db, count: number): Promise<number> {
  const coordinator = await startCoordinator(db);
  const epochs = new Map<string, number>();
  let done = 0;
  let finish = (): void => undefined;
  const allDone = new Promise<void>((resolve) => (finish = resolve));
  let failure: Error | undefined;
  coordinator.onCommitted((events) => {
    for (const event of events) {
      if (event.type === 'attempt.claimed' && event.attemptId !== null) {
        epochs.set(event.attemptId, Number(event.data['epoch'] ?? 0));
      }
    }
  });
  coordinator.onAssigned(({ worker, attempts }) => {
    for (const attempt of attempts) {
      execute(coordinator, worker, attempt, epochs.get(attempt) ?? 0).then(
        () => {
          epochs.delete(attempt);
          done += 1;
          if (done === count) finish();
        },
        (error: unknown) => {
          failure = new Error('a lifecycle failed', { cause: error });
          finish();
        },
      );
    }
  });
  const ids = await Promise.all(
    Array.from({ length: workers }, (_, index) => addWorker(coordinator, `w${index}`, slots)),
  );
  for (const id of ids) coordinator.parkWorker(id, 'prj_bench', slots);
  const startedMs = performance.now();
  for (let from = 0; from < count; from += runSize) {
    await submitPlan(coordinator, flatPlan(Math.min(runSize, count - from)));
  }
  await allDone;
  const seconds = (performance.now() - startedMs) / 1_000;
  await coordinator.stop();
  if (failure !== undefined) throw failure;
  return count / seconds;
}
