import type { ServerResponse } from 'node:http';

/** What one request is answered with; made per request. */
export interface Reply {
  readonly response: ServerResponse;
  /** Milliseconds between two pieces of a streamed answer. */
  readonly delayMs: number;
  /** A fresh id such as `msg_fake000001`. */
  readonly id: (prefix: string) => string;
  /** Called when the client went away in the middle. */
  readonly aborted: () => void;
  /** Answers that are being held open; called, each goes on at once. */
  readonly stalls: Set<() => void>;
}

export function sendJson(reply: Reply, body: unknown, status = 200): void {
  reply.response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': reply.id('req'),
  });
  reply.response.end(JSON.stringify(body));
}

/** A stream of server-sent events. */
export interface EventStream {
  send(event: string | null, data: unknown): Promise<void>;
  comment(): void;
  end(): void;
}

export function openEventStream(reply: Reply): EventStream {
  const { response } = reply;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  return {
    async send(event, data) {
      const name = event === null ? '' : `event: ${event}\n`;
      response.write(`${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
      await pause(reply.delayMs);
    },
    comment: () => void response.write(': ping\n\n'),
    end: () => void response.end(),
  };
}

/**
 * Holds an answer open, with a sign of life each second, for so long or until `stalls` ends it. True when
 * the client left meanwhile.
 */
export async function stall(
  reply: Reply,
  seconds: number,
  ping: () => void | Promise<void>,
): Promise<boolean> {
  let untilMs = Date.now() + seconds * 1_000;
  const ended = new Promise<void>((resolve) => {
    reply.response.once('close', resolve);
    reply.stalls.add(end);
    function end(): void {
      reply.stalls.delete(end);
      untilMs = 0;
      resolve();
    }
    reply.response.once('close', () => reply.stalls.delete(end));
  });
  while (Date.now() < untilMs && !reply.response.destroyed) {
    await ping();
    await Promise.race([pause(Math.min(1_000, Math.max(0, untilMs - Date.now()))), ended]);
  }
  if (reply.response.destroyed) reply.aborted();
  return reply.response.destroyed;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A text in pieces, one word each. */
export function wordsOf(text: string): string[] {
  return text.match(/\S+\s*/g) ?? [text];
}

/** A text in pieces of 24 characters. */
export function piecesOf(text: string): string[] {
  return text.match(/[\s\S]{1,24}/g) ?? [''];
}

/** The text of a message's content: a string, or parts of many forms. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) return JSON.stringify(content);
  return content
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      if (typeof part !== 'object' || part === null) return '';
      if ('text' in part && typeof part.text === 'string') return part.text;
      return 'content' in part ? textOf(part.content) : '';
    })
    .join('\n');
}

/** `value` if it is an array, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
