import { AppError, type LogStream } from '@baton/contract';
import { appendLogChunk, type Db } from '@baton/store';

/** A piece of an attempt's output. `worker` is null when an attempt token spoke. */
export interface LogAppend {
  readonly attempt: string;
  readonly worker: string | null;
  readonly epoch: number;
  readonly stream: LogStream;
  readonly offset: number;
  readonly data: Uint8Array;
}

/**
 * Writes log bytes past the batcher: they change no state. Fenced like every other write; bytes that
 * are stored already are cut by offset, so sending again is harmless.
 */
export interface LogWriter {
  /** @throws {AppError} stale_epoch, not_found */
  append(piece: LogAppend): Promise<{ readonly nextOffset: number }>;
  /** Told which attempt got more output. Answers the function that ends it. */
  onAppend(listener: (attempt: string) => void): () => void;
}

export function createLogWriter(db: Db): LogWriter {
  const listeners = new Set<(attempt: string) => void>();
  return {
    async append(piece) {
      const outcome = await appendLogChunk(db, piece);
      if ('nextOffset' in outcome) {
        if (outcome.kind === 'appended') for (const listener of listeners) listener(piece.attempt);
        return { nextOffset: outcome.nextOffset };
      }
      throw outcome.kind === 'stale'
        ? new AppError(
            'stale_epoch',
            `Attempt ${piece.attempt} no longer takes output under epoch ${piece.epoch}; stop it.`,
          )
        : new AppError('not_found', `There is no attempt ${piece.attempt} of this worker.`);
    },
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
