import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { API_BASE, AppError, LIMITS, ROUTES, type Route, type RouteName } from '@baton/contract';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { App } from './app.ts';
import { isSecure } from './auth/credential.ts';
import type { Handler, Handlers } from './call.ts';
import { securityHeaders } from './edge/headers.ts';
import { rateLimit } from './edge/rate-limit.ts';
import { problemFor, serveRoute } from './serve-route.ts';

type Env = { Bindings: HttpBindings };

/** Files of the dashboard and the reference page: undefined when there is none under that path. */
export type ServeFile = (path: string) => Promise<Response | undefined>;

/**
 * The router, made from the route table and from nothing else: what is not in the table is a file of
 * ours, or nothing.
 */
export function createRouter(app: App, handlers: Handlers, serveFile: ServeFile): Hono<Env> {
  const hono = new Hono<Env>();
  const limit = rateLimit(LIMITS.requestsPerSecondPerKeyMax, () => performance.now());
  const methods = new Map<string, Set<string>>();

  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const route: Route = ROUTES[name];
    const path = honoPath(route);
    const allowed = methods.get(path) ?? new Set();
    methods.set(path, allowed.add(route.method));
    // Each handler fits its own name; the table is what pairs them.
    const handler = handlers[name] as Handler<RouteName>;
    hono.on(route.method, path, (c) =>
      serveRoute(app, limit, name, handler, {
        incoming: c.env.incoming as IncomingMessage,
        outgoing: c.env.outgoing as ServerResponse,
        url: new URL(c.req.url),
        params: c.req.param(),
      }),
    );
  }

  for (const [path, allowed] of methods) {
    const allow = [...allowed, ...(allowed.has('GET') ? ['HEAD'] : [])].toSorted().join(', ');
    hono.all(path, (c) => {
      const response = refuse(c, 'method_not_allowed', `Only ${allow} can be used here.`);
      response.headers.set('allow', allow);
      return response;
    });
  }

  hono.get('*', async (c) => {
    const { path } = c.req;
    const file = isApi(path) ? undefined : await serveFile(path);
    if (file === undefined) return refuse(c, 'not_found', 'There is nothing under this address.');
    return withHeaders(c, file, 'page');
  });
  hono.all('*', (c) => refuse(c, 'not_found', 'There is nothing under this address.'));
  hono.onError((error, c) => withHeaders(c, problemFor(app, error, requestId(), 'router'), 'data'));
  return hono;

  function refuse(c: Context, code: 'not_found' | 'method_not_allowed', words: string): Response {
    const problem = problemFor(app, new AppError(code, words), requestId(), c.req.path);
    return withHeaders(c, problem, 'data');
  }

  function withHeaders(c: Context, response: Response, kind: 'page' | 'data'): Response {
    const secure = isSecure(app.hosts, c.req.header('host'));
    for (const [key, value] of Object.entries(securityHeaders(kind, secure))) {
      if (!response.headers.has(key)) response.headers.set(key, value);
    }
    return response;
  }
}

function honoPath(route: Route): string {
  const path = route.path.replace(/\{(\w+)\}/g, ':$1');
  return route.root === undefined ? API_BASE + path : path;
}

function isApi(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}

function requestId(): string {
  return `req_${randomUUID()}`;
}
