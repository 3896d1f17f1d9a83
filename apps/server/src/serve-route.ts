import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, ERROR_CODES, LIMITS, ROUTES, type Route, type RouteName } from '@baton/contract';
import type { IdempotencyRequest } from '@baton/coordinator';
import { isStorageFull, StoreError } from '@baton/store';
import { z } from 'zod';
import type { App } from './app.ts';
import { cookieName, findCredential, isSecure } from './auth/credential.ts';
import { checkOwnership } from './auth/ownership.ts';
import { mayUse } from './auth/policy.ts';
import type { Principal } from './auth/principal.ts';
import type { Call, Handler } from './call.ts';
import { checkJsonType, readBody } from './edge/body.ts';
import { securityHeaders } from './edge/headers.ts';
import { checkOrigin } from './edge/host-list.ts';
import { checkText, parseJson } from './edge/json-guard.ts';
import { internalProblem, problemOf, problemResponse } from './edge/problem.ts';
import type { RateLimit } from './edge/rate-limit.ts';
import { parseInput } from './edge/violations.ts';

/** What comes in, as the router hands it on. */
export interface Incoming {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
}

/** Never limited: a worker that cannot renew or report would lose its work. */
const unlimited: ReadonlySet<RouteName> = new Set([
  'heartbeatAttempt',
  'heartbeatWorker',
  'completeAttempt',
  'failAttempt',
  'releaseAttempt',
]);

const nothing = z.strictObject({});

/**
 * Serves one route. The order is fixed: origin, credential, permission, rate, whose object it is, shape,
 * then the handler; nobody learns of a later one what an earlier one hides.
 */
export async function serveRoute<N extends RouteName>(
  app: App,
  limit: RateLimit,
  name: N,
  handler: Handler<N>,
  request: Incoming,
): Promise<Response> {
  const route: Route = ROUTES[name];
  const id = `req_${randomUUID()}`;
  const header = headersOf(request.incoming);
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    response = problemFor(app, error, id, name);
  }
  const secure = isSecure(app.hosts, header('host'));
  const kind = route.kind === 'html' && response.ok ? 'page' : 'data';
  for (const [key, value] of Object.entries(securityHeaders(kind, secure))) {
    if (!response.headers.has(key)) response.headers.set(key, value);
  }
  response.headers.set('x-request-id', id);
  return response;

  async function answer(): Promise<Response> {
    const unsafe = route.method !== 'GET';
    const cookie = cookieName(app.hosts, header('host'), app.keys.name);
    const credential = findCredential(header, cookie);
    if (route.root === undefined) {
      checkOrigin(app.hosts, {
        unsafe,
        origin: header('origin'),
        fetchSite: header('sec-fetch-site'),
        byCookie: credential?.byCookie ?? false,
      });
    }
    const principal = await identify().catch((error: unknown) => {
      // Who only guesses is limited as well.
      limit.take(addressOf(request.incoming));
      throw error;
    });
    if (!unlimited.has(name)) limit.take(principal?.id ?? addressOf(request.incoming));
    checkProject(principal, header('x-baton-project'));
    for (const value of Object.values(request.params)) checkText(value);
    if (principal !== null) await checkOwnership(app, principal, name, request.params);
    const params = parseInput(route.params ?? nothing, request.params, 'path');
    const query = parseInput(route.query ?? nothing, queryOf(request.url), 'query');
    const body = await bodyOf(route, request.incoming);
    const call = {
      route: name,
      params,
      query,
      body: body.value,
      principal,
      project: principal?.project ?? '',
      idempotency: idempotencyOf(route, name, principal, request, body.sha256),
      incoming: request.incoming,
      signal: goneSignal(request.outgoing),
      id,
      wantsStream: (header('accept') ?? '').includes('text/event-stream'),
      header,
    } as unknown as Call<N>;
    const answered = await handler(call);
    if (answered instanceof Response) return answered;
    if (answered === undefined) return new Response(null, { status: route.status });
    if (app.checkReplies) checkReply(route, name, answered);
    return new Response(JSON.stringify(answered), {
      status: route.status,
      headers: { 'content-type': 'application/json' },
    });

    async function identify(): Promise<Principal | null> {
      if (route.permission === 'public') return null;
      if (credential === undefined) {
        throw new AppError(
          'unauthenticated',
          'Show an API key (Authorization: Bearer <key>), or log in.',
        );
      }
      const known = await app.authenticator.authenticate(credential);
      if (mayUse(known, name)) return known;
      throw new AppError('forbidden', `This credential may not ${route.permission} here.`, {
        detail: { permission: route.permission },
      });
    }
  }
}

/** An expected failure as a problem document; anything else is logged whole and answered without detail. */
export function problemFor(
  app: Pick<App, 'log'>,
  error: unknown,
  id: string,
  what: string,
): Response {
  if (error instanceof AppError) {
    if (ERROR_CODES[error.code].status >= 500) app.log.warn({ err: error, request: id }, what);
    return problemResponse(problemOf(error, id));
  }
  if (isStorageFull(error)) {
    app.log.error({ err: error, request: id }, what);
    const full = new AppError(
      'storage_full',
      'The disk of the control plane is full: nothing was written. Free some space there; it goes on by itself.',
    );
    return problemResponse(problemOf(full, id));
  }
  if (error instanceof StoreError && error.kind !== 'data') {
    app.log.warn({ err: error, request: id }, what);
    const away = new AppError('store_unavailable', 'The database does not answer now; try again.');
    return problemResponse(problemOf(away, id));
  }
  app.log.error({ err: error, request: id }, what);
  return problemResponse(internalProblem(id));
}

type HeaderOf = (name: string) => string | undefined;

/** Headers by name; of one that came twice, the first. */
export function headersOf(incoming: IncomingMessage): HeaderOf {
  return (name) => {
    const value = incoming.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
}

function addressOf(incoming: IncomingMessage): string {
  return `address ${incoming.socket.remoteAddress ?? ''}`;
}

/** Nobody has more than one project; naming another one finds nothing. */
function checkProject(principal: Principal | null, named: string | undefined): void {
  if (principal === null || named === undefined) return;
  if (named === principal.project || named === 'default') return;
  throw new AppError('not_found', 'There is no such project.');
}

/** A name that comes once is text, one that comes again is a list. */
function queryOf(url: URL): Record<string, string | string[]> {
  const query = new Map<string, string | string[]>();
  for (const [key, value] of url.searchParams) {
    checkText(key);
    checkText(value);
    const before = query.get(key);
    if (before === undefined) query.set(key, value);
    else query.set(key, [...(Array.isArray(before) ? before : [before]), value]);
  }
  return Object.fromEntries(query);
}

interface Body {
  readonly value: unknown;
  readonly sha256: string;
}

async function bodyOf(route: Route, incoming: IncomingMessage): Promise<Body> {
  if (route.body === undefined) return { value: undefined, sha256: '' };
  const bytesMax = route.bodyBytesMax ?? LIMITS.bodyBytesMax;
  const type = incoming.headers['content-type'];
  const isEmpty =
    incoming.headers['transfer-encoding'] === undefined &&
    Number(incoming.headers['content-length'] ?? 0) === 0;
  if (isEmpty && type === undefined) {
    return { value: parseInput(route.body, {}, 'body'), sha256: sha256('') };
  }
  checkJsonType(type);
  if (incoming.headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported_media_type', 'Send the body without content-encoding.');
  }
  const bytes = await readBody(incoming, bytesMax);
  const input = bytes.length === 0 ? {} : parseJson(bytes, bytesMax > LIMITS.bodyBytesMax);
  return { value: parseInput(route.body, input, 'body'), sha256: sha256(bytes) };
}

function idempotencyOf(
  route: Route,
  name: RouteName,
  principal: Principal | null,
  { incoming, url }: Incoming,
  bodySha256: string,
): IdempotencyRequest | undefined {
  const key = headersOf(incoming)('idempotency-key');
  if (key === undefined || route.method !== 'POST') return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new AppError('bad_request', 'Idempotency-Key is 1 to 255 visible ASCII characters.');
  }
  const who = principal === null ? 'public' : `${principal.kind} ${principal.id}`;
  return {
    scope: `${who} ${name}`,
    key,
    requestSha256: sha256(`${url.pathname}\n${url.search}\n${bodySha256}`),
  };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Fires when the client has gone or the answer is complete. */
function goneSignal(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  return gone.signal;
}

/** A reply that does not fit its schema is a bug of ours, found here before a client finds it. */
function checkReply(route: Route, name: RouteName, reply: unknown): void {
  const parsed = route.reply?.safeParse(reply);
  if (parsed === undefined || parsed.success) return;
  throw new Error(`the reply of ${name} does not fit its schema: ${parsed.error.message}`);
}
