import {
  AppError,
  ERROR_CODES,
  ROUTES,
  routePath,
  type Route,
  type RouteName,
} from '@baton/contract';
import { backoffMs, pause, type Backoff } from './backoff.ts';
import { errorOfResponse, unreachable } from './problem-error.ts';

/** How a client reaches the control plane. */
export interface ClientOptions {
  /** Address without a path, such as `http://127.0.0.1:4664`; empty for the page's own origin. */
  readonly baseUrl: string;
  /** API key, worker key or attempt token. Without one a browser sends its session cookie. */
  readonly token?: string | undefined;
  /** Sent as `X-Baton-Project`; default: the token's only project. */
  readonly project?: string | undefined;
  /** Default: the global one. A caller that speaks over a Unix socket hands in its own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Tries after the first, for calls that may be repeated; default 3. */
  readonly retriesMax?: number | undefined;
  readonly retryBackoff?: Backoff | undefined;
  /** Said in `User-Agent`, where the platform lets a program choose it. */
  readonly agent?: string | undefined;
}

/** One request in parts. The body is JSON unless it is bytes. */
export interface Outgoing {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests; throws AppError for every answer that is not a success. */
export interface Transport {
  readonly baseUrl: string;
  send(name: RouteName, outgoing: Outgoing): Promise<Response>;
  /** One try, no retries: streams do their own. */
  sendOnce(name: RouteName, outgoing: Outgoing): Promise<Response>;
}

const RETRY_BACKOFF: Backoff = { minMs: 200, maxMs: 5_000 };
const RETRIES_MAX = 3;
/** A longer wait than this is the caller's decision. */
const RETRY_AFTER_MS_MAX = 30_000;

export function createTransport(options: ClientOptions): Transport {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const retriesMax = options.retriesMax ?? RETRIES_MAX;
  const backoff = options.retryBackoff ?? RETRY_BACKOFF;

  async function sendOnce(name: RouteName, outgoing: Outgoing): Promise<Response> {
    const route: Route = ROUTES[name];
    const url = baseUrl + routePath(name, outgoing.params) + encodeQuery(outgoing.query);
    const body = encodeBody(route, outgoing.body);
    const request: RequestInit = {
      method: route.method,
      headers: headersOf(options, outgoing, body !== undefined && !isBytes(outgoing.body)),
      ...(body === undefined ? {} : { body }),
      ...(outgoing.signal === undefined ? {} : { signal: outgoing.signal }),
    };
    let response: Response;
    try {
      response = await send(url, request);
    } catch (error) {
      if (outgoing.signal?.aborted === true) throw error;
      throw unreachable(baseUrl, error);
    }
    if (!response.ok) throw await errorWithRetryAfter(response);
    return response;
  }

  async function sendRetrying(name: RouteName, outgoing: Outgoing): Promise<Response> {
    const route: Route = ROUTES[name];
    const idempotencyKey =
      outgoing.idempotencyKey ?? (wantsIdempotencyKey(route) ? randomKey() : undefined);
    const keyed = { ...outgoing, idempotencyKey };
    for (let failures = 0; ; failures += 1) {
      try {
        return await sendOnce(name, keyed);
      } catch (error) {
        const mayRepeat = isRepeatable(route, idempotencyKey) && failures < retriesMax;
        if (!mayRepeat || !isRetryable(error)) throw error;
        const waitMs = retryAfterMsOf(error) ?? backoffMs(backoff, failures, Math.random());
        await pause(waitMs, outgoing.signal);
      }
    }
  }

  return { baseUrl, send: sendRetrying, sendOnce };
}

/** True for failures of which the error table says that the same call may be sent again. */
export function isRetryable(error: unknown): error is AppError {
  return error instanceof AppError && ERROR_CODES[error.code].retry;
}

/** Commands of people get a key; what workers write is harmless to repeat by its own nature. */
function wantsIdempotencyKey(route: Route): boolean {
  return (
    route.method === 'POST' &&
    (route.permission === 'run' ||
      route.permission === 'operate' ||
      route.permission === 'approve' ||
      route.permission === 'admin')
  );
}

function isRepeatable(route: Route, idempotencyKey: string | undefined): boolean {
  if (route.method === 'GET' || route.method === 'PUT') return true;
  if (route.method !== 'POST') return false;
  return (
    idempotencyKey !== undefined ||
    route.permission === 'worker' ||
    route.permission === 'attempt' ||
    route.permission === 'read'
  );
}

function headersOf(
  options: ClientOptions,
  outgoing: Outgoing,
  isJson: boolean,
): Record<string, string> {
  return {
    accept: 'application/json',
    ...(isJson ? { 'content-type': 'application/json' } : {}),
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(options.project === undefined ? {} : { 'x-baton-project': options.project }),
    ...(options.agent === undefined ? {} : { 'user-agent': options.agent }),
    ...(outgoing.idempotencyKey === undefined
      ? {}
      : { 'idempotency-key': outgoing.idempotencyKey }),
    ...outgoing.headers,
  };
}

/** Lists become `a,b`; undefined values are left out. Empty when there is nothing to say. */
export function encodeQuery(query: Readonly<Record<string, unknown>> = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    search.set(key, Array.isArray(value) ? value.join(',') : plainText(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function encodeBody(route: Route, body: unknown): string | Uint8Array<ArrayBuffer> | undefined {
  if (isBytes(body)) return body;
  if (body !== undefined) return JSON.stringify(body);
  // A body whose fields are all optional may be left out by the caller, never on the wire.
  return route.body === undefined ? undefined : '{}';
}

function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array;
}

async function errorWithRetryAfter(response: Response): Promise<AppError> {
  const error = await errorOfResponse(response);
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds < 0) return error;
  return new AppError(error.code, error.message, {
    cause: error.cause,
    detail: { ...error.publicDetail, retry_after_seconds: seconds },
  });
}

function retryAfterMsOf(error: AppError): number | undefined {
  const seconds = error.publicDetail['retry_after_seconds'];
  return typeof seconds === 'number' ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : undefined;
}

/** `crypto.randomUUID` is missing in browsers on plain http; random bytes are not. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
