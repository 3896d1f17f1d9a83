import { z } from 'zod';
import { route } from './route.ts';

/** What one rule of the auditor found; `count` is all of it, `faults` the first few. */
export const auditFinding = z.object({
  id: z.string(),
  invariant: z.string(),
  words: z.string(),
  count: z.int(),
  faults: z.array(z.object({ subject: z.string(), found: z.string() })),
});

export const databaseRoutes = {
  checkDatabase: route({
    method: 'GET',
    path: '/database/check',
    area: 'system',
    summary: 'Hold every stored row and blob against the rules that must hold',
    permission: 'admin',
    reply: z.object({ ok: z.boolean(), checks: z.array(auditFinding) }),
    kind: 'json',
    status: 200,
    errors: ['rate_limited', 'store_unavailable'],
  }),
  backupDatabase: route({
    method: 'GET',
    path: '/database/backup',
    area: 'system',
    summary: 'A backup of the whole database and its blobs; on the embedded one all else waits',
    permission: 'admin',
    reply: null,
    kind: 'bytes',
    status: 200,
    errors: ['rate_limited', 'storage_full', 'store_unavailable'],
  }),
};
