import { attemptRoutes } from './attempts.ts';
import { checkpointRoutes } from './checkpoints.ts';
import { databaseRoutes } from './database.ts';
import { delegationRoutes } from './delegation.ts';
import { lifeRoutes } from './life.ts';
import { runRoutes } from './runs.ts';
import { schedulingRoutes } from './scheduling.ts';
import { systemRoutes } from './system.ts';
import { taskRoutes } from './tasks.ts';
import { workerRoutes } from './workers.ts';

/** Every endpoint by operation name. The worker link (WebSocket) is `LINK_PATH`. */
export const ROUTES = {
  ...runRoutes,
  ...taskRoutes,
  ...delegationRoutes,
  ...lifeRoutes,
  ...checkpointRoutes,
  ...workerRoutes,
  ...attemptRoutes,
  ...schedulingRoutes,
  ...systemRoutes,
  ...databaseRoutes,
} as const;

export type RouteName = keyof typeof ROUTES;

/** Base of every route that is not at the root. */
export const API_BASE = '/api/v1';

/** Where workers connect. */
export const LINK_PATH = `${API_BASE}/workers/connect`;

/** Full path of a route with its parameters filled in, each percent-encoded. */
export function routePath(name: RouteName, params: Readonly<Record<string, string>> = {}): string {
  const definition = ROUTES[name];
  const path = definition.path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = params[key];
    if (value === undefined) throw new TypeError(`${name} needs the path parameter ${key}`);
    return encodeURIComponent(value);
  });
  return 'root' in definition ? path : API_BASE + path;
}
