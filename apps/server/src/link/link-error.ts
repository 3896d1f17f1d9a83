import { AppError, ERROR_CODES, type ServerFrame } from '@baton/contract';
import { isStorageFull, StoreError } from '@baton/store';
import { factsOf } from '../edge/problem.ts';

type FrameError = NonNullable<Extract<ServerFrame, { type: 'ack' }>['error']>;

/** A failure as the link carries it; undefined for a bug, which is told as `internal` and logged. */
export function frameErrorOf(error: unknown): FrameError | undefined {
  if (error instanceof AppError) {
    return {
      code: error.code,
      detail: error.message,
      retry: ERROR_CODES[error.code].retry,
      facts: factsOf(error),
    };
  }
  if (isStorageFull(error)) {
    return {
      code: 'storage_full',
      detail: 'The disk of the control plane is full; send it again later.',
      retry: true,
      facts: {},
    };
  }
  if (error instanceof StoreError && error.kind !== 'data') {
    return {
      code: 'store_unavailable',
      detail: 'The database does not answer now; send it again.',
      retry: true,
      facts: {},
    };
  }
  return undefined;
}

/** What a worker is told of a bug of ours: it sends the frame again. */
export const internalFrameError: FrameError = {
  code: 'internal',
  detail: 'Something went wrong here; the log of the control plane has it.',
  retry: true,
  facts: {},
};
