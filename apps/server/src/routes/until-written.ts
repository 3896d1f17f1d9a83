import type { App } from '../app.ts';
import { startDeadline } from '../deadline.ts';

/** A large submission is written within seconds; who waits longer is shown the run as far as it is. */
const waitMs = 120_000;

/** Resolves when a run that is written in steps has its whole graph; at once for all others. */
export async function untilWritten(
  app: Pick<App, 'reads' | 'stopping' | 'coordinator'>,
  call: { readonly project: string; readonly signal: AbortSignal },
  run: string,
): Promise<void> {
  let wake = (): void => undefined;
  let changed = false;
  // Listening begins before the first look, so that a step in between is not missed.
  const unsubscribe = app.coordinator.onCommitted((events) => {
    if (events.some((it) => it.runId === run && it.type.startsWith('run.'))) {
      changed = true;
      wake();
    }
  });
  const over = startDeadline(waitMs, [call.signal, app.stopping]);
  try {
    for (;;) {
      const read = await app.reads.findRun(call.project, run);
      if (read?.run.status !== 'planning' || over.signal.aborted) return;
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          over.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      changed = false;
    }
  } finally {
    over.clear();
    unsubscribe();
  }
}
