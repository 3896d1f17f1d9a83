import { z } from 'zod';
import { assignment } from '../assignment.ts';
import { workerHeartbeat, workerHeartbeatReply } from '../attempt-writes.ts';
import { anyId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { fleet, worker, workerRegister, workerToken, workerTokenCreate } from '../worker.ts';
import { route } from './route.ts';
import { byId, page, pageQuery, reasonBody } from './shared.ts';

const known = ['not_found', 'ambiguous'] as const;
const one = { area: 'workers', params: byId, kind: 'json', status: 200 } as const;

export const workerRoutes = {
  createWorkerToken: route({
    method: 'POST',
    path: '/worker-tokens',
    area: 'workers',
    summary: 'Make a join token; it is shown this once',
    permission: 'admin',
    body: workerTokenCreate,
    reply: workerToken,
    kind: 'json',
    status: 201,
    errors: [],
  }),
  registerWorker: route({
    method: 'POST',
    path: '/workers/register',
    area: 'workers',
    summary: 'Join with a token; answers with the key of this worker, shown this once',
    permission: 'public',
    body: workerRegister,
    reply: z.object({ id: anyId, key: z.string(), name: z.string(), project: anyId }),
    kind: 'json',
    status: 201,
    errors: ['join_token_invalid', 'worker_exists'],
  }),
  listWorkers: route({
    method: 'GET',
    path: '/workers',
    area: 'workers',
    summary: 'List workers by name',
    permission: 'read',
    query: z.strictObject(pageQuery),
    reply: page(worker),
    kind: 'json',
    status: 200,
    errors: ['bad_cursor'],
  }),
  getWorker: route({
    ...one,
    method: 'GET',
    path: '/workers/{id}',
    summary: 'One worker, by id or name',
    permission: 'read',
    reply: worker,
    errors: known,
  }),
  removeWorker: route({
    ...one,
    method: 'DELETE',
    path: '/workers/{id}',
    summary: 'Forget a worker; its key stops working, its open attempts are lost',
    permission: 'admin',
    reply: null,
    kind: 'none',
    status: 204,
    errors: known,
  }),
  drainWorker: route({
    ...one,
    method: 'POST',
    path: '/workers/{id}/drain',
    summary: 'Give a worker no new work',
    permission: 'operate',
    body: reasonBody,
    reply: worker,
    errors: known,
  }),
  undrainWorker: route({
    ...one,
    method: 'POST',
    path: '/workers/{id}/undrain',
    summary: 'Give a drained worker work again',
    permission: 'operate',
    body: reasonBody,
    reply: worker,
    errors: known,
  }),
  getFleet: route({
    method: 'GET',
    path: '/fleet',
    area: 'workers',
    summary: 'Readiness of the fleet, and work that nobody online can take',
    permission: 'read',
    reply: fleet,
    kind: 'json',
    status: 200,
    errors: [],
  }),
  claimAttempts: route({
    ...one,
    method: 'POST',
    path: '/workers/{id}/claim',
    summary: 'Wait for work over plain HTTP; first returns what is claimed and not started',
    permission: 'worker',
    query: z.strictObject({
      wait: z.coerce.number().min(0).max(LIMITS.claimWaitSecondsMax).default(0),
    }),
    body: z.strictObject({ max: z.int().min(1).max(100).default(1) }),
    reply: z.object({ items: z.array(assignment) }),
    errors: ['not_found'],
  }),
  heartbeatWorker: route({
    ...one,
    method: 'POST',
    path: '/workers/{id}/heartbeat',
    summary: 'Renew the leases of the attempts named; answers which to stop',
    permission: 'worker',
    body: workerHeartbeat,
    reply: workerHeartbeatReply,
    errors: ['not_found'],
  }),
};
