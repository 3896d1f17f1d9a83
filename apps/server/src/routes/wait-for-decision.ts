import type { App } from '../app.ts';
import type { CheckpointRead } from '@baton/store';
import { startDeadline } from '../deadline.ts';

/**
 * A checkpoint, once it is decided or `waitSeconds` have gone by; as it is then. Undefined when there
 * is none of that id.
 */
export async function waitForDecision(
  app: Pick<App, 'reads' | 'events' | 'stopping' | 'coordinator'>,
  call: { readonly project: string; readonly signal: AbortSignal },
  id: string,
  waitSeconds: number,
): Promise<CheckpointRead | undefined> {
  const find = (): Promise<CheckpointRead | undefined> =>
    app.reads.findCheckpoint(call.project, id);
  let wake = (): void => undefined;
  let changed = false;
  // Listening begins before the first look, so that a decision in between is not missed.
  const unsubscribe = app.coordinator.onCommitted((events) => {
    if (events.some(({ type }) => type.startsWith('checkpoint.'))) {
      changed = true;
      wake();
    }
  });
  const over = startDeadline(waitSeconds * 1_000, [call.signal, app.stopping]);
  try {
    let read = await find();
    while (read?.checkpoint.status === 'open' && !over.signal.aborted && waitSeconds > 0) {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          over.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      changed = false;
      read = await find();
    }
    return read;
  } finally {
    over.clear();
    unsubscribe();
  }
}
