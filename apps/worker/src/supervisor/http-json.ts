import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';

/** One answered call. `body` is sent as JSON. */
export interface JsonReply {
  readonly status: number;
  readonly body: unknown;
}

/** A call as a handler sees it. `signal` fires when the caller has hung up. */
export interface JsonCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

const BODY_BYTES_MAX = 1024 * 1024;

/** Serves JSON over HTTP on a Unix socket with mode 0600. A stale socket file is replaced. */
export async function serveJson(
  socketPath: string,
  handle: (call: JsonCall) => Promise<JsonReply> | JsonReply,
): Promise<Server> {
  rmSync(socketPath, { force: true });
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    void answer(request, handle, gone.signal).then((reply) => {
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(reply.body));
    });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
  return server;
}

async function answer(
  request: IncomingMessage,
  handle: (call: JsonCall) => Promise<JsonReply> | JsonReply,
  signal: AbortSignal,
): Promise<JsonReply> {
  try {
    const url = new URL(request.url ?? '/', 'http://socket');
    const body = await readJson(request);
    const method = request.method ?? 'GET';
    return await handle({ method, path: url.pathname, query: url.searchParams, body, signal });
  } catch (error) {
    if (error instanceof BadCall) return refuse(error.status, error.code, error.message);
    return refuse(500, 'internal', error instanceof Error ? error.message : String(error));
  }
}

/** A refused call in the form of the public API's problem documents. */
export function refuse(status: number, code: string, detail: string): JsonReply {
  return { status, body: { code, title: code, status, detail } };
}

class BadCall extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      throw new BadCall(413, 'body_too_large', `A request holds at most ${BODY_BYTES_MAX} bytes.`);
    }
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new BadCall(400, 'bad_request', 'The body is not JSON.');
  }
}
