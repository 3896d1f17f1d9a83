import type { RouteExample } from './examples.ts';
import { later, project, worker, workerId } from './example-objects.ts';
import { plain } from './plain-example.ts';
import type { RouteName } from './table.ts';

const ofWorker = { params: { id: workerId } } as const;

type WorkerRoute = Extract<
  RouteName,
  | 'createWorkerToken'
  | 'registerWorker'
  | 'listWorkers'
  | 'getWorker'
  | 'removeWorker'
  | 'drainWorker'
  | 'undrainWorker'
  | 'getFleet'
>;

/** Examples of the routes for workers and the tokens they join with. */
export const WORKER_EXAMPLES: { readonly [N in WorkerRoute]: RouteExample<N> } = {
  createWorkerToken: {
    body: { name: 'laptop', labels: { pool: 'default' }, max_uses: 1 },
    reply: {
      id: 'jtk_01jd8x8w1yk6t4f7h9v2x5z8cd',
      token: 'batj_...',
      expires_at: later,
      install: 'baton worker --token batj_...',
    },
  },
  registerWorker: {
    body: { token: 'batj_...', name: 'laptop', slots: 4, capabilities: { engines: ['claude'] } },
    reply: { id: workerId, key: 'batw_...', name: 'laptop', project },
  },
  listWorkers: { reply: plain({ items: [worker], next_cursor: null }) },
  getWorker: { params: { id: 'laptop' }, reply: plain(worker) },
  removeWorker: { ...ofWorker },
  drainWorker: {
    ...ofWorker,
    body: {},
    reply: plain({ ...worker, status: 'draining', draining: true } as const),
  },
  undrainWorker: { ...ofWorker, body: {}, reply: plain(worker) },
  getFleet: {
    reply: {
      workers: { online: 1, busy: 0, draining: 0, silent: 0, offline: 0 },
      slots: { total: 4, used: 1, free: 3 },
      engines: [{ name: 'claude', workers: 1, authenticated: 1 }],
      repos: [{ name: 'gateway', workers: 1 }],
      languages: [{ name: 'rust', workers: 1 }],
      uncovered: [{ need: 'engine codex', tasks: 2 }],
    },
  },
};
