import { z } from 'zod';
import { attempt } from '../attempt.ts';
import { LIMITS } from '../limits.ts';
import { run } from '../run.ts';
import { REVIEW_ACTIONS, task, taskDetail } from '../task.ts';
import { route } from './route.ts';
import { runGraph } from './runs.ts';
import { byId, reasonBody } from './shared.ts';

const known = ['not_found', 'ambiguous'] as const;
const onRun = { area: 'runs', method: 'POST', params: byId, permission: 'operate' } as const;
const onTask = { ...onRun, area: 'tasks' } as const;
const json = { kind: 'json', status: 200 } as const;
const nothing = { reply: null, kind: 'none', status: 204 } as const;
const empty = z.strictObject({});

/** What can be done with the life of runs and tasks beyond cancelling and retrying them. */
export const lifeRoutes = {
  pauseRun: route({
    ...onRun,
    ...json,
    path: '/runs/{id}/pause',
    summary: 'Suspend a run: its agents are stopped, nothing of it starts until it is resumed',
    body: reasonBody,
    reply: run,
    errors: [...known, 'wrong_status', 'run_ended'],
  }),
  resumeRun: route({
    ...onRun,
    ...json,
    path: '/runs/{id}/resume',
    summary: 'Let a paused run go on; its agents go on in the conversations that they had',
    body: empty,
    reply: run,
    errors: [...known, 'wrong_status'],
  }),
  rerunRun: route({
    ...onRun,
    path: '/runs/{id}/rerun',
    permission: 'run',
    summary:
      'A new run of the same plan, linked to this one: same engines and workers, clean start',
    body: reasonBody,
    reply: runGraph,
    kind: 'json',
    status: 201,
    errors: [...known, 'wrong_status'],
  }),
  deleteRun: route({
    ...onRun,
    ...nothing,
    method: 'DELETE',
    path: '/runs/{id}',
    summary: 'Cancel a run and take it out of sight; purge takes the rest away too',
    errors: known,
  }),
  purgeRun: route({
    ...onRun,
    ...nothing,
    path: '/runs/{id}/purge',
    permission: 'admin',
    summary: 'Delete a run with all its logs, files and history; purging it again is fine',
    body: empty,
    errors: known,
  }),
  pauseTask: route({
    ...onTask,
    ...json,
    path: '/tasks/{id}/pause',
    summary: 'Suspend a task: its agent is stopped, nobody takes it until it is resumed',
    body: reasonBody,
    reply: task,
    errors: [...known, 'wrong_status'],
  }),
  resumeTask: route({
    ...onTask,
    ...json,
    path: '/tasks/{id}/resume',
    summary: 'Let a paused task go on, in its old workspace and conversation where it can',
    body: empty,
    reply: task,
    errors: [...known, 'wrong_status'],
  }),
  relaunchTask: route({
    ...onTask,
    ...json,
    path: '/tasks/{id}/relaunch',
    permission: 'run',
    summary:
      'Put a task of any status back to its start, under the same id; a live agent is stopped',
    body: z.strictObject({
      reason: z.string().max(LIMITS.reasonCharsMax).optional(),
      downstream: z.enum(['keep', 'reset']).default('keep'),
    }),
    reply: task,
    errors: [...known, 'wrong_status'],
  }),
  rerunTask: route({
    ...onTask,
    path: '/tasks/{id}/rerun',
    permission: 'run',
    summary:
      'A new task beside this one and linked to it: same engine, role and worker, clean start',
    body: reasonBody,
    reply: taskDetail,
    kind: 'json',
    status: 201,
    errors: [...known, 'wrong_status', 'limit_exceeded'],
  }),
  reviewTask: route({
    ...onTask,
    ...json,
    path: '/tasks/{id}/review',
    permission: 'approve',
    summary: 'Review finished work: approve, reject, or have it done again with the reason',
    body: z.strictObject({
      action: z.enum(REVIEW_ACTIONS),
      reason: z.string().max(LIMITS.reasonCharsMax).optional(),
      requeue: z.boolean().default(false).describe('with reject: the same as request_changes'),
    }),
    reply: task,
    errors: [...known, 'wrong_status', 'bad_request'],
  }),
  deleteTask: route({
    ...onTask,
    ...nothing,
    method: 'DELETE',
    path: '/tasks/{id}',
    summary: 'Cancel a task and what needs it, and take it out of its run',
    errors: [...known, 'wrong_status'],
  }),
  purgeTask: route({
    ...onTask,
    ...nothing,
    path: '/tasks/{id}/purge',
    permission: 'admin',
    summary: 'Delete a task with all its logs, files and history; purging it again is fine',
    body: empty,
    errors: [...known, 'wrong_status'],
  }),
  adoptAttempt: route({
    ...onTask,
    ...json,
    area: 'attempts',
    path: '/attempts/{id}/adopt',
    summary: 'Take a result that came when its attempt had been given up; its task completes by it',
    body: reasonBody,
    reply: attempt,
    errors: [...known, 'wrong_status', 'contract_violation'],
  }),
};
