import { AppError } from '@baton/contract';
import type { LogPiece } from '@baton/store';
import { createListeners } from '../listeners.ts';
import type { Log } from '../log.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';

/**
 * Writes log bytes past the batcher: they change no state. Fenced like every other write; bytes that
 * are stored already are cut by offset, so sending again is harmless.
 */
export interface LogWriter {
  /** @throws {AppError} stale_epoch, not_found */
  append(piece: LogPiece): Promise<{ readonly nextOffset: number }>;
  /** Told which attempt got more output. Answers the function that ends it. */
  onAppend(listener: (attempt: string) => void): () => void;
  /** Another replica wrote output of this attempt. */
  wroteElsewhere(attempt: string): void;
}

/** Bytes go to the store; a listener that throws is told of in `log`. `wroteHere`: what others hear. */
export function createLogWriter(
  store: Pick<CoordinatorStore, 'appendLogChunk'>,
  log: Log,
  wroteHere: (attempt: string) => void = () => undefined,
): LogWriter {
  const appended = createListeners<string>(log);
  return {
    wroteElsewhere: appended.tell,
    async append(piece) {
      const outcome = await store.appendLogChunk(piece);
      if ('nextOffset' in outcome) {
        if (outcome.kind === 'appended') {
          appended.tell(piece.attempt);
          wroteHere(piece.attempt);
        }
        return { nextOffset: outcome.nextOffset };
      }
      throw outcome.kind === 'stale'
        ? new AppError(
            'stale_epoch',
            `Attempt ${piece.attempt} no longer takes output under epoch ${piece.epoch}; stop it.`,
          )
        : new AppError('not_found', `There is no attempt ${piece.attempt} of this worker.`);
    },
    onAppend: appended.add,
  };
}
