import { z } from 'zod';
import {
  attemptArtifact,
  attemptCheckpoint,
  attemptComplete,
  attemptFail,
  attemptHeartbeat,
  attemptLog,
  attemptNote,
  attemptOutput,
  attemptPlan,
  attemptProgress,
  attemptRelease,
  attemptStart,
} from '../attempt-writes.ts';
import { artifact, attempt, logPage } from '../attempt.ts';
import { assignment } from '../assignment.ts';
import { checkpoint } from '../checkpoint.ts';
import { anyId } from '../ids.ts';
import { taskOutput } from '../task.ts';
import { route } from './route.ts';
import { byId } from './shared.ts';
import { logQuery } from './tasks.ts';

const known = ['not_found', 'ambiguous'] as const;
const fenced = ['not_found', 'stale_epoch'] as const;
const write = {
  area: 'attempts',
  method: 'POST',
  params: byId,
  permission: 'attempt',
  kind: 'json',
  status: 200,
} as const;
const read = { ...write, method: 'GET', permission: 'read' } as const;

/** What the worker that holds the attempt learns from an accepted write. */
const accepted = z.object({ attempt: anyId, status: z.string() });

/** What was asked, and whether the agent is to end its turn: it is gone on with once that is decided. */
const asked = checkpoint.extend({ yield: z.boolean() });

export const attemptRoutes = {
  getAttempt: route({
    ...read,
    path: '/attempts/{id}',
    summary: 'One attempt',
    reply: attempt,
    errors: known,
  }),
  readAttemptLogs: route({
    ...read,
    path: '/attempts/{id}/logs',
    summary: 'Output of an attempt, from its start',
    query: logQuery,
    reply: logPage,
    errors: [...known, 'bad_cursor'],
  }),
  getAssignment: route({
    ...read,
    path: '/attempts/{id}/assignment',
    permission: 'attempt',
    summary: 'What the attempt was given; without its token',
    reply: assignment.omit({ token: true }),
    errors: fenced,
  }),
  startAttempt: route({
    ...write,
    path: '/attempts/{id}/start',
    summary: 'The agent process runs',
    body: attemptStart,
    reply: accepted,
    errors: fenced,
  }),
  heartbeatAttempt: route({
    ...write,
    path: '/attempts/{id}/heartbeat',
    summary: 'Renew the lease of one attempt, with its own token',
    body: attemptHeartbeat,
    reply: z.object({
      lease_seconds: z.number(),
      cancel: z.boolean(),
      yields: z.boolean().default(false).describe('of a cancel: its task goes on later'),
    }),
    errors: fenced,
  }),
  progressAttempt: route({
    ...write,
    path: '/attempts/{id}/progress',
    summary: 'Progress and usage',
    body: attemptProgress,
    reply: accepted,
    errors: fenced,
  }),
  appendAttemptLog: route({
    ...write,
    path: '/attempts/{id}/logs',
    summary: 'Append to a log by offset',
    body: attemptLog,
    reply: z.object({ next_offset: z.int() }),
    errors: fenced,
  }),
  setAttemptOutput: route({
    ...write,
    path: '/attempts/{id}/outputs',
    summary: 'Fulfil a contract',
    body: attemptOutput,
    reply: taskOutput,
    errors: [...fenced, 'unknown_contract', 'contract_violation', 'limit_exceeded'],
  }),
  addAttemptArtifact: route({
    ...write,
    path: '/attempts/{id}/artifacts',
    summary: 'Describe a file; `upload` is null when its content is already stored',
    body: attemptArtifact,
    reply: z.object({ artifact, upload: anyId.nullable() }),
    status: 201,
    errors: fenced,
  }),
  openAttemptCheckpoint: route({
    ...write,
    path: '/attempts/{id}/checkpoints',
    summary: 'Ask a person',
    body: attemptCheckpoint,
    reply: asked,
    status: 201,
    errors: [...fenced, 'checkpoint_open', 'invalid_option', 'wrong_status'],
  }),
  planAttempt: route({
    ...write,
    path: '/attempts/{id}/plan',
    summary: 'Hand in a plan of the work; a person approves it or sends it back with feedback',
    body: attemptPlan,
    reply: asked,
    status: 201,
    errors: [...fenced, 'checkpoint_open', 'wrong_status'],
  }),
  getAttemptCheckpoint: route({
    ...read,
    path: '/attempts/{id}/checkpoints/{checkpoint}',
    permission: 'attempt',
    params: z.strictObject({ id: anyId, checkpoint: anyId }),
    query: z.strictObject({ wait: z.coerce.number().min(0).max(50).default(0) }),
    summary: 'Wait up to 50 s for the decision of an own checkpoint',
    reply: checkpoint,
    errors: known,
  }),
  noteAttempt: route({
    ...write,
    path: '/attempts/{id}/notes',
    summary: "Add a note to the attempt's task",
    body: attemptNote,
    reply: accepted,
    errors: fenced,
  }),
  completeAttempt: route({
    ...write,
    path: '/attempts/{id}/complete',
    summary: 'Hand in the result; asking again gives the first answer',
    body: attemptComplete,
    reply: accepted,
    errors: [...fenced, 'completion_conflict', 'contract_violation'],
  }),
  failAttempt: route({
    ...write,
    path: '/attempts/{id}/fail',
    summary: 'Report a failure with its class',
    body: attemptFail,
    reply: accepted,
    errors: [...fenced, 'completion_conflict'],
  }),
  releaseAttempt: route({
    ...write,
    path: '/attempts/{id}/release',
    summary: 'Hand the task back; not counted as an attempt',
    body: attemptRelease,
    reply: accepted,
    errors: fenced,
  }),
  getArtifact: route({
    ...read,
    area: 'artifacts',
    path: '/artifacts/{id}',
    summary: 'One artifact',
    reply: artifact,
    errors: known,
  }),
  getArtifactContent: route({
    ...read,
    area: 'artifacts',
    path: '/artifacts/{id}/content',
    permission: 'attempt',
    summary: 'Content of an artifact, always as a download',
    reply: null,
    kind: 'bytes',
    errors: known,
  }),
  putUpload: route({
    ...write,
    method: 'PUT',
    area: 'artifacts',
    path: '/uploads/{id}',
    summary: 'Content of an announced artifact; refused when its sha256 differs',
    reply: artifact,
    errors: ['not_found', 'bad_request', 'body_too_large'],
  }),
};
