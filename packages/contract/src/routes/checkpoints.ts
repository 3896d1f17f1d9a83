import { z } from 'zod';
import { checkpoint, checkpointResolve } from '../checkpoint.ts';
import { anyId } from '../ids.ts';
import { CHECKPOINT_STATUSES } from '../statuses.ts';
import { route } from './route.ts';
import { byId, page, pageQuery } from './shared.ts';

export const checkpointRoutes = {
  listCheckpoints: route({
    method: 'GET',
    path: '/checkpoints',
    area: 'checkpoints',
    summary: 'The inbox: what waits for a person, what holds up most first',
    permission: 'read',
    query: z.strictObject({
      ...pageQuery,
      status: z.enum(CHECKPOINT_STATUSES).default('open'),
      run: anyId.optional(),
    }),
    reply: page(checkpoint.extend({ holds_up: z.int().describe('tasks that wait behind it') })),
    kind: 'json',
    status: 200,
    errors: ['bad_cursor'],
  }),
  getCheckpoint: route({
    method: 'GET',
    path: '/checkpoints/{id}',
    area: 'checkpoints',
    summary: 'One checkpoint',
    permission: 'read',
    params: byId,
    reply: checkpoint,
    kind: 'json',
    status: 200,
    errors: ['not_found', 'ambiguous'],
  }),
  resolveCheckpoint: route({
    method: 'POST',
    path: '/checkpoints/{id}/resolve',
    area: 'checkpoints',
    summary: 'Decide a checkpoint; one decision wins, the loser is shown it',
    permission: 'approve',
    params: byId,
    body: checkpointResolve,
    reply: checkpoint,
    kind: 'json',
    status: 200,
    errors: ['not_found', 'ambiguous', 'checkpoint_closed', 'invalid_option', 'facts_changed'],
  }),
};
