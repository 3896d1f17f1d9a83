import { AppError } from '@baton/contract';
import { createParser } from 'eventsource-parser';
import { backoffMs, pause, type Backoff } from './backoff.ts';
import { isRetryable } from './transport.ts';

/** One server-sent event. `event` is `message` where the server names none. */
export interface SseMessage {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Whether the stream is connected, and why it is not. */
export type StreamState =
  | { readonly state: 'connected' }
  | { readonly state: 'reconnecting'; readonly error: AppError; readonly inMs: number };

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of each connection made and lost. */
  readonly onState?: ((state: StreamState) => void) | undefined;
  readonly backoff?: Backoff | undefined;
  /** Without a byte for this long the connection is taken for dead; the server says hello more often. */
  readonly idleMsMax?: number | undefined;
}

/** Handed out on each connection made, when asked for: what was missed before it must be looked up. */
export const OPENED: SseMessage = { id: undefined, event: 'opened', data: '' };

/** One connection. `lastEventId` is where to continue. */
export type Connect = (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

const RECONNECT_BACKOFF: Backoff = { minMs: 500, maxMs: 15_000 };
const IDLE_MS_MAX = 60_000;
const BUFFER_CHARS_MAX = 16 * 1024 * 1024;

/**
 * Messages of a stream that outlives its connections: after a break it connects again with the id
 * of the last message that was handed out. Ends when the signal fires, or on 204.
 * @throws AppError that is not retryable, such as unauthenticated or not_found.
 */
export async function* readStream(
  connect: Connect,
  options: StreamOptions & {
    readonly lastEventId?: string | undefined;
    readonly yieldOpened?: boolean;
  },
): AsyncGenerator<SseMessage, void, undefined> {
  let lastEventId = options.lastEventId;
  let failures = 0;
  while (!isAborted(options.signal)) {
    let broke: AppError;
    try {
      for await (const message of readConnection(connect, lastEventId, options)) {
        if (message !== OPENED) failures = 0;
        if (message.id !== undefined) lastEventId = message.id === '' ? undefined : message.id;
        yield message;
      }
      broke = new AppError('control_plane_unreachable', 'The server closed the stream.');
    } catch (error) {
      if (isAborted(options.signal) || error instanceof StreamEnded) return;
      if (!isRetryable(error)) throw error;
      broke = error;
    }
    const inMs = backoffMs(options.backoff ?? RECONNECT_BACKOFF, failures, Math.random());
    failures += 1;
    options.onState?.({ state: 'reconnecting', error: broke, inMs });
    try {
      await pause(inMs, options.signal);
    } catch {
      return;
    }
  }
}

/** A function, because the compiler would take a first look for the last word. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** The server said that nothing more will come. */
class StreamEnded extends Error {}

async function* readConnection(
  connect: Connect,
  lastEventId: string | undefined,
  options: StreamOptions & { readonly yieldOpened?: boolean },
): AsyncGenerator<SseMessage, void, undefined> {
  const idle = new AbortController();
  const signal =
    options.signal === undefined ? idle.signal : AbortSignal.any([idle.signal, options.signal]);
  const idleMsMax = options.idleMsMax ?? IDLE_MS_MAX;
  let timer = setTimeout(() => idle.abort(), idleMsMax);
  const queue: SseMessage[] = [];
  const parser = createParser({
    maxBufferSize: BUFFER_CHARS_MAX,
    onEvent: ({ id, event, data }) => queue.push({ id, event: event ?? 'message', data }),
  });
  try {
    const response = await connect(lastEventId, signal);
    if (response.status === 204 || response.body === null) throw new StreamEnded();
    options.onState?.({ state: 'connected' });
    if (options.yieldOpened === true) yield OPENED;
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => idle.abort(), idleMsMax);
        parser.feed(decoder.decode(value, { stream: true }));
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  } catch (error) {
    if (error instanceof AppError || error instanceof StreamEnded) throw error;
    if (isAborted(options.signal)) throw error;
    const why = idle.signal.aborted ? `silent for ${idleMsMax / 1_000} s` : 'connection lost';
    throw new AppError('control_plane_unreachable', `The stream broke: ${why}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
