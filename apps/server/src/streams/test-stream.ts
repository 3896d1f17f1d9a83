import { API_BASE } from '@baton/contract';

/** One server-sent message, its data parsed. */
export interface StreamMessage {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: {
    readonly type?: string;
    readonly data?: string;
    readonly cursor?: string;
    readonly [field: string]: unknown;
  };
}

/** A reader of a stream, for tests. */
export interface TestStream {
  readonly status: number;
  /** Undefined when the stream has ended. */
  next(): Promise<StreamMessage | undefined>;
  /** Reads until `fits`; fails when the stream ends before. */
  until(fits: (message: StreamMessage) => boolean): Promise<StreamMessage[]>;
  close(): Promise<void>;
}

/** Opens a stream of a server; `path` is below `/api/v1`. */
export async function openTestStream(
  url: string,
  path: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestStream> {
  const abort = new AbortController();
  const response = await fetch(url + API_BASE + path, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
    signal: abort.signal,
  });
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const stream: TestStream = {
    status: response.status,
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end < 0) {
          const piece = await reader?.read();
          if (piece === undefined || piece.done) return undefined;
          text += decoder.decode(piece.value, { stream: true });
          continue;
        }
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string): string | undefined =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data === undefined) continue;
        return {
          id: field('id'),
          event: field('event') ?? 'message',
          data: JSON.parse(data) as StreamMessage['data'],
        };
      }
    },
    async until(fits) {
      const seen: StreamMessage[] = [];
      for (;;) {
        const message = await stream.next();
        if (message === undefined) throw new Error('the stream ended');
        seen.push(message);
        if (fits(message)) return seen;
      }
    },
    async close() {
      abort.abort();
      await reader?.cancel().catch(() => undefined);
    },
  };
  return stream;
}
