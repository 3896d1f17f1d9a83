import type { LogChunk, LogStream, RouteName } from '@baton/contract';
import { readStream, type StreamOptions } from './sse.ts';
import type { Transport } from './transport.ts';

/** A piece of a log, decoded. `offset` counts bytes from the start of its stream. */
export interface LogBytes {
  readonly attempt: string;
  readonly stream: LogStream;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly at: string;
}

export interface LogOptions extends StreamOptions {
  readonly attempt?: string | undefined;
  readonly stream?: string | undefined;
}

/**
 * A task's output from its start, live, until the task ends. Every byte comes once, whatever breaks
 * on the way: what a reconnection sends again is cut by its offset.
 */
export async function* readLogStream(
  transport: Transport,
  name: RouteName,
  params: Readonly<Record<string, string>>,
  options: LogOptions,
): AsyncGenerator<LogBytes, void, undefined> {
  const seen = new Map<string, number>();
  const query = { attempt: options.attempt, stream: options.stream };
  const messages = readStream(
    (lastEventId, signal) =>
      transport.sendOnce(name, {
        params,
        query,
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal,
      }),
    options,
  );
  for await (const message of messages) {
    if (message.event === 'end') return;
    const data: unknown = JSON.parse(message.data === '' ? 'null' : message.data);
    if (!isLogChunk(data)) continue;
    const fresh = cutSeen(decodeLogChunk(data), seen);
    if (fresh !== undefined) yield fresh;
  }
}

/** The bytes of a chunk, whichever way they were sent. */
export function decodeLogChunk(chunk: LogChunk): LogBytes {
  const bytes =
    chunk.encoding === 'base64'
      ? Uint8Array.from(atob(chunk.data), (letter) => letter.codePointAt(0) ?? 0)
      : new TextEncoder().encode(chunk.data);
  return {
    attempt: chunk.attempt,
    stream: chunk.stream,
    offset: chunk.offset,
    bytes,
    at: chunk.at,
  };
}

/** Remembers how far each stream was read; undefined when all of the chunk was seen. */
function cutSeen(chunk: LogBytes, seen: Map<string, number>): LogBytes | undefined {
  const key = `${chunk.attempt} ${chunk.stream}`;
  const from = seen.get(key) ?? 0;
  const end = chunk.offset + chunk.bytes.byteLength;
  if (end <= from) return undefined;
  seen.set(key, end);
  if (chunk.offset >= from) return chunk;
  return { ...chunk, offset: from, bytes: chunk.bytes.subarray(from - chunk.offset) };
}

function isLogChunk(data: unknown): data is LogChunk {
  return typeof data === 'object' && data !== null && 'offset' in data && 'encoding' in data;
}
