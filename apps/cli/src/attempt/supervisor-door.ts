import { createHash, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import {
  AppError,
  attemptAwaitReply,
  resolution,
  type Resolution,
  type Task,
} from '@baton/contract';
import { errorOfResponse, pause } from '@baton/sdk';
import type { AttemptDoor, Handed, Word } from './door.ts';

/** One answer of the supervisor. */
interface SocketReply {
  readonly status: number;
  readonly body: unknown;
}

/** One call of the supervisor and its answer. @throws AppError control_plane_unreachable */
export type Exchange = (method: string, path: string, body?: unknown) => Promise<SocketReply>;

const POLL_SECONDS = 50;
const BREATH_MS = 500;
/** A refusal comes within this while the worker daemon runs; without it the request stays on disk. */
const REFUSAL_WAIT_MS_MAX = 30_000;

/**
 * Speaks with the attempt's supervisor. Each request is on disk before it is answered, and its id makes
 * sending it again harmless.
 */
export function openDoor(send: Exchange, signal: AbortSignal): AttemptDoor {
  async function hand(kind: string, body: unknown): Promise<Handed> {
    const answer = await settle(kind, randomUUID(), body, REFUSAL_WAIT_MS_MAX);
    return answer === undefined
      ? { state: 'pending', body: null }
      : { state: 'accepted', body: answer };
  }

  /** The answer's body; undefined when there is none yet after `waitMsMax`. */
  async function settle(
    kind: string,
    id: string,
    body: unknown,
    waitMsMax: number,
  ): Promise<unknown> {
    const untilMs = performance.now() + waitMsMax;
    const seconds = (): number =>
      Math.max(0, Math.min(POLL_SECONDS, (untilMs - performance.now()) / 1_000));
    let reply = await send('POST', `/requests?wait=${seconds()}`, { id, kind, body });
    while (reply.status === 202 && performance.now() < untilMs) {
      const askedAtMs = performance.now();
      reply = await send('GET', `/requests/${encodeURIComponent(id)}?wait=${seconds()}`);
      // Without a worker daemon the supervisor does not wait: ask again, but not all the time.
      if (reply.status === 202 && performance.now() - askedAtMs < BREATH_MS) {
        await pause(BREATH_MS, signal);
      }
    }
    if (reply.status === 202) return undefined;
    if (reply.status >= 400) throw await errorOf(reply);
    return reply.body ?? null;
  }

  return {
    async task() {
      const reply = await send('GET', '/task');
      if (reply.status >= 400) throw await errorOf(reply);
      return isRecord(reply.body) ? reply.body : {};
    },
    progress: (progress) => hand('progress', progress),
    note: (text) => hand('note', { text }),
    setOutput: (key, data) => hand('output', { key, data }),
    addArtifact: ({ path, name, kind, mediaType }) =>
      hand('artifact', { path, name, kind, media_type: mediaType }),
    async ask(question, waitMsMax) {
      // The same question of the same attempt is the same request: an agent whose call was cut asks
      // again and gets the decision.
      const answer = await settle('checkpoint', idOf('ask', question), question, waitMsMax);
      return answer === undefined ? undefined : wordIn(answer);
    },
    async plan(plan, waitMsMax) {
      const answer = await settle('plan', idOf('plan', plan), plan, waitMsMax);
      return answer === undefined ? undefined : wordIn(answer);
    },
    spawn: (task) => hand('spawn', task),
    async children() {
      const { body } = await hand('children', {});
      return isRecord(body) && Array.isArray(body['items']) ? (body['items'] as Task[]) : [];
    },
    async awaitOthers(wanted) {
      const answer = await settle('await', randomUUID(), wanted, REFUSAL_WAIT_MS_MAX);
      return answer === undefined ? undefined : attemptAwaitReply.parse(answer);
    },
    complete: (result) => hand('complete', { result }),
    fail: (reason, failureClass) =>
      hand('fail', {
        reason,
        ...(failureClass === undefined ? {} : { failure_class: failureClass }),
      }),
  };
}

/** The same content is the same request. */
function idOf(kind: string, content: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return `${kind}-${digest.slice(0, 32)}`;
}

/** What an answer says: a decision, or that the agent is to end its turn. */
function wordIn(answer: unknown): Word {
  if (isRecord(answer) && answer['yield'] === true) {
    return { yield: true, checkpoint: typeof answer['id'] === 'string' ? answer['id'] : '' };
  }
  return { yield: false, resolution: resolutionIn(answer) };
}

/** The decision in a checkpoint, or given by itself. */
function resolutionIn(answer: unknown): Resolution {
  const within = isRecord(answer) && isRecord(answer['resolution']) ? answer['resolution'] : answer;
  const parsed = resolution.safeParse(within);
  if (parsed.success) return parsed.data;
  const status = isRecord(answer) && typeof answer['status'] === 'string' ? answer['status'] : '';
  throw new AppError(
    'checkpoint_closed',
    `The question was closed without an answer${status === '' ? '' : ` (${status})`}.`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function errorOf({ status, body }: SocketReply): Promise<AppError> {
  // The supervisor's own refusals are short; the document's other fields have one value here.
  const document = {
    title: 'refused',
    status,
    retry: false,
    facts: {},
    ...(isRecord(body) ? body : {}),
  };
  return errorOfResponse(new Response(JSON.stringify(document), { status }));
}

/** Calls by HTTP over the supervisor's Unix socket. */
export function socketExchange(socketPath: string, signal: AbortSignal): Exchange {
  return (method, path, body) => callSocket(socketPath, signal, method, path, body);
}

function callSocket(
  socketPath: string,
  signal: AbortSignal,
  method: string,
  path: string,
  body: unknown,
): Promise<SocketReply> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        socketPath,
        // A connection of its own: a kept one may have been closed by the other end meanwhile.
        agent: false,
        path,
        method,
        signal,
        headers:
          payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 500, body: text === '' ? null : parse(text) });
        });
      },
    );
    request.on('error', (error) => {
      if (signal.aborted) reject(error);
      else {
        reject(
          new AppError(
            'control_plane_unreachable',
            `The supervisor of this attempt does not answer at ${socketPath}; the attempt has probably ended.`,
            { cause: error },
          ),
        );
      }
    });
    request.end(payload);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
