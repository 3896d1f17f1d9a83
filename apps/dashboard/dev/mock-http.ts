import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, type ErrorCode, type Route } from '@baton/contract';

/** One call of the mock, taken apart. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A refusal with its code, answered as a problem document. */
export class Refused extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers with what the route's own schema lets through. */
export function send(response: ServerResponse, route: Route, answer: unknown): void {
  const checked: unknown = route.reply === null ? undefined : route.reply.parse(answer);
  response.writeHead(route.status, { 'content-type': 'application/json' });
  response.end(checked === undefined ? '' : JSON.stringify(checked));
}

/** Answers with a problem document. */
export function sendProblem(response: ServerResponse, error: unknown): void {
  const code = error instanceof Refused ? error.code : 'internal';
  const { status, retry } = ERROR_CODES[code];
  const detail = error instanceof Error ? error.message : String(error);
  if (response.headersSent) {
    response.end();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({ type: 'about:blank', title: code, status, code, detail, retry, facts: {} }),
  );
}

/** The whole body as text. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A body as JSON; undefined when there is none. */
export function parse(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}
