import { z } from 'zod';
import { action, attemptActions } from '../action.ts';
import { attemptAwait, attemptAwaitReply, taskAwait, taskWait, taskWaitReply } from '../await.ts';
import { anyId } from '../ids.ts';
import { delegationStats, stats } from '../stats.ts';
import { task } from '../task.ts';
import { timeline } from '../timeline.ts';
import { route } from './route.ts';
import { byId, page, pageQuery } from './shared.ts';

const known = ['not_found', 'ambiguous'] as const;
const fenced = ['not_found', 'stale_epoch'] as const;
const read = { method: 'GET', permission: 'read', kind: 'json', status: 200 } as const;
const write = { method: 'POST', kind: 'json', status: 200, params: byId } as const;

/** Routes about work that waits for other work, agents that hand work on, and what came of it all. */
export const delegationRoutes = {
  waitTasks: route({
    method: 'POST',
    path: '/tasks/wait',
    area: 'tasks',
    summary: 'Wait until all, any or a quorum of tasks have ended; on timeout their current states',
    permission: 'read',
    body: taskWait,
    reply: taskWaitReply,
    kind: 'json',
    status: 200,
    errors: known,
  }),
  listChildren: route({
    ...read,
    path: '/tasks/{id}/children',
    area: 'tasks',
    summary: 'Tasks whose parent a task is, newest first',
    params: byId,
    query: z.strictObject(pageQuery),
    reply: page(task),
    errors: [...known, 'bad_cursor'],
  }),
  listAwaits: route({
    ...read,
    path: '/tasks/{id}/awaits',
    area: 'tasks',
    summary: "What a task's agent waits for and was given, newest first",
    params: byId,
    reply: page(taskAwait),
    errors: known,
  }),
  wakeTask: route({
    ...write,
    path: '/tasks/{id}/wake',
    area: 'tasks',
    summary: 'Resume an agent that awaits others, with what has arrived so far',
    permission: 'operate',
    body: z.strictObject({}),
    reply: task,
    errors: [...known, 'wrong_status'],
  }),
  awaitAttempt: route({
    ...write,
    path: '/attempts/{id}/await',
    area: 'attempts',
    summary: 'End the turn and be resumed with what own children came to; no ids: all at work',
    permission: 'attempt',
    body: attemptAwait,
    reply: attemptAwaitReply,
    errors: [...fenced, 'unknown_task', 'cycle', 'wrong_status', 'limit_exceeded'],
  }),
  recordActions: route({
    ...write,
    path: '/attempts/{id}/actions',
    area: 'attempts',
    summary: 'Put what the agent did on the ledger; a call told again is on it once',
    permission: 'attempt',
    body: attemptActions,
    reply: z.object({ attempt: anyId, recorded: z.int() }),
    errors: fenced,
  }),
  listActions: route({
    ...read,
    path: '/tasks/{id}/actions',
    area: 'tasks',
    summary: 'The ledger of what the agents of a task did, oldest first',
    params: byId,
    query: z.strictObject(pageQuery),
    reply: page(action),
    errors: [...known, 'bad_cursor'],
  }),
  getTimeline: route({
    ...read,
    path: '/runs/{id}/timeline',
    area: 'runs',
    summary: 'Attempts of a run in parallel lanes, with its checkpoints and idle times',
    params: byId,
    query: z.strictObject({ by: z.enum(['task', 'worker']).default('task') }),
    reply: timeline,
    errors: known,
  }),
  getStats: route({
    ...read,
    path: '/stats',
    area: 'system',
    summary: 'Counts of runs, tasks and attempts, what runs now, and what it used',
    query: z.strictObject({
      hours: z.coerce
        .number()
        .positive()
        .max(8_760)
        .default(24)
        .describe('how far back attempts count'),
    }),
    reply: stats,
    errors: [],
  }),
  getDelegationStats: route({
    ...read,
    path: '/stats/delegation',
    area: 'system',
    summary: 'How agents hand work on: spawns, awaits, what the breaker and the limits stopped',
    reply: delegationStats,
    errors: [],
  }),
};
