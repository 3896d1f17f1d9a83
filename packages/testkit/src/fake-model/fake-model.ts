/**
 * A model server whose answers are scripted by the prompt (see script.ts), for running real and fake
 * agents without a provider: Anthropic Messages, OpenAI Responses and Chat Completions, Gemini.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { answerAnthropic } from './anthropic.ts';
import { answerChat } from './chat.ts';
import { answerGemini } from './gemini.ts';
import { listOf, sendJson } from './http.ts';
import type { Reply } from './http.ts';
import { answerResponses } from './responses.ts';
import { asRecord } from './script.ts';
import type { FailureCounter } from './script.ts';

/** A request that the fake model got. */
export interface ModelRequest {
  readonly method: string;
  readonly path: string;
  readonly model: string | undefined;
  readonly streamed: boolean;
  readonly messages: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface FakeModelOptions {
  /** Milliseconds between two pieces of a streamed answer; default 0. */
  readonly delayMs?: number;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Told of each request, and of each client that left in the middle of an answer. */
  readonly log?: (line: ModelRequest | { readonly aborted: string }) => void;
}

export interface FakeModel {
  /** Such as `http://127.0.0.1:40123`, without a slash at the end. */
  readonly url: string;
  /** All requests so far, oldest first. */
  readonly requests: readonly ModelRequest[];
  /** How many answers are held open by `[[stall:...]]` now. */
  readonly stalled: number;
  /** Lets those go on at once. */
  endStalls(): void;
  /** Ends the open answers too. */
  close(): Promise<void>;
}

/** Starts a fake model on loopback. */
export async function startFakeModel(options: FakeModelOptions = {}): Promise<FakeModel> {
  const requests: ModelRequest[] = [];
  const failures: FailureCounter = new Map();
  const stalls = new Set<() => void>();
  let sequence = 0;
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const reply: Reply = {
      response,
      delayMs: options.delayMs ?? 0,
      id: (prefix) => `${prefix}_fake${String(++sequence).padStart(6, '0')}`,
      aborted: () => options.log?.({ aborted: path }),
      stalls,
    };
    const note = (seen: ModelRequest): void => {
      requests.push(seen);
      options.log?.(seen);
    };
    answer(request, path, reply, failures, note).catch((error: unknown) => {
      if (response.headersSent) response.end();
      else sendJson(reply, { error: { message: String(error) } }, 500);
    });
  });
  // Codex tries a WebSocket first.
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  });
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get stalled() {
      return stalls.size;
    },
    endStalls() {
      for (const end of [...stalls]) end();
    },
    close: () => close(server),
  };
}

async function answer(
  request: IncomingMessage,
  path: string,
  reply: Reply,
  failures: FailureCounter,
  note: (seen: ModelRequest) => void,
): Promise<void> {
  const body = await readBody(request);
  const method = request.method ?? 'GET';
  note({
    method,
    path,
    model: typeof body['model'] === 'string' ? body['model'] : undefined,
    streamed: body['stream'] === true,
    messages: listOf(body['messages'] ?? body['input'] ?? body['contents']).length,
    body,
  });
  if (path.endsWith('/messages/count_tokens')) return sendJson(reply, { input_tokens: 1_200 });
  if (method === 'POST' && path.endsWith('/messages'))
    return answerAnthropic(reply, body, failures);
  if (method === 'POST' && path.endsWith('/responses'))
    return answerResponses(reply, body, failures);
  if (method === 'POST' && path.endsWith('/chat/completions'))
    return answerChat(reply, body, failures);
  if (/:(generateContent|streamGenerateContent|countTokens)$/.test(path)) {
    return answerGemini(reply, body, path, failures);
  }
  if (method === 'GET' && path.endsWith('/models')) return sendJson(reply, modelList);
  if (method === 'HEAD' || path === '/') return sendJson(reply, {});
  const message = `the fake model has no route ${method} ${path}`;
  return sendJson(reply, { error: { type: 'not_found_error', message } }, 404);
}

const modelList = {
  object: 'list',
  data: [
    {
      id: 'fake-1',
      object: 'model',
      type: 'model',
      display_name: 'Fake 1',
      created: 1_700_000_000,
      owned_by: 'fake',
      created_at: '2026-01-01T00:00:00Z',
    },
  ],
  has_more: false,
  models: [],
};

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  try {
    return asRecord(JSON.parse(Buffer.concat(chunks).toString()));
  } catch {
    return {};
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
