import type { z } from 'zod';
import { DELEGATION_EXAMPLES } from './delegation-examples.ts';
import {
  apiKey,
  artifact,
  artifactId,
  assignment,
  attempt,
  attemptId,
  buildId,
  checkpoint,
  checkpointId,
  decided,
  dependency,
  dependencyId,
  designId,
  event,
  keyId,
  later,
  logPage,
  note,
  output,
  project,
  reason,
  result,
  run,
  runId,
  sha256,
  task,
  taskDetail,
  workerId,
} from './example-objects.ts';
import { plain } from './plain-example.ts';
import { LIFE_EXAMPLES } from './life-examples.ts';
import { WORKER_EXAMPLES } from './worker-examples.ts';
import { SCHEDULING_EXAMPLES } from './scheduling-examples.ts';
import type { ROUTES, RouteName } from './table.ts';

type RouteOf<N extends RouteName> = (typeof ROUTES)[N];
type InputOf<N extends RouteName, K extends 'params' | 'query' | 'body'> =
  RouteOf<N> extends Readonly<Record<K, infer S extends z.ZodType>>
    ? { readonly [P in K]: z.input<S> }
    : object;
type ReplyOf<N extends RouteName> =
  RouteOf<N> extends { readonly reply: infer S extends z.ZodType }
    ? { readonly reply: z.output<S> }
    : object;

/** One call of a route as it goes over the wire, for the reference page and for whoever writes a client. */
export type RouteExample<N extends RouteName> = InputOf<N, 'params'> &
  Partial<InputOf<N, 'query'>> &
  InputOf<N, 'body'> &
  ReplyOf<N>;

const epoch = 4294967297;
const only = <T>(item: T): { items: T[]; next_cursor: null } => ({
  items: [item],
  next_cursor: null,
});
const ofRun = { params: { id: runId } } as const;
const ofTask = { params: { id: designId } } as const;
const ofAttempt = { params: { id: attemptId } } as const;
const ofWorker = { params: { id: workerId } } as const;
const accepted = (status: string) => ({ attempt: attemptId, status });
const goesOn = { lease_seconds: 90, cancel: false, yields: false };

const createRun = {
  goal: 'Users API',
  plan: {
    tasks: [
      {
        key: 'design',
        spec: 'Design the API.',
        needs: { engine: 'claude' },
        outputs: [{ key: 'api_schema' }],
      },
      {
        key: 'build',
        kind: 'command',
        spec: 'make api',
        needs: { repo: 'gateway', languages: ['rust'] },
      },
    ],
    dependencies: [
      { upstream: 'design', downstream: 'build', type: 'input', contract_key: 'api_schema' },
    ],
  },
} as const;

/** One example of each route; a test parses every one with the route's own schemas. */
export const EXAMPLES: { readonly [N in RouteName]: RouteExample<N> } = {
  createRun: {
    body: plain(createRun),
    reply: plain({ run, tasks: [task], dependencies: [dependency], cursor: '1.42' }),
  },
  validateRun: {
    body: plain(createRun),
    reply: { ok: true, problems: [], task_count: 2, uncovered: ['build'] },
  },
  listRuns: { query: { status: 'running', limit: 20 }, reply: plain(only(run)) },
  getRun: { ...ofRun, reply: plain(run) },
  getRunGraph: {
    ...ofRun,
    reply: plain({ run, tasks: [task], dependencies: [dependency], cursor: '1.42' }),
  },
  explainRun: {
    ...ofRun,
    reply: plain({
      run: run.id,
      status: 'waiting',
      sentence: 'It waits for a review of design.',
      next: 'approve it: baton task review design --approve',
      waits_for: [
        {
          kind: 'review',
          task: designId,
          key: 'design',
          what: 'design is done, and behind it waits a gate',
        },
      ],
    } as const),
  },
  cancelRun: {
    ...ofRun,
    body: { reason },
    reply: plain({ ...run, status: 'cancelling', reason } as const),
  },
  replanRun: {
    ...ofRun,
    body: plain({
      plan: { tasks: [{ key: 'build-again', spec: 'Build it another way.' }] },
      plan_version: 1,
      supersede: ['build'],
    }),
    reply: plain({ run, tasks: [task], dependencies: [dependency], cursor: '1.42' }),
  },
  listRunEvents: { ...ofRun, query: { after: '1.41' }, reply: plain(only(event)) },
  listRunCheckpoints: { ...ofRun, reply: plain(only(checkpoint)) },
  openRunCheckpoint: {
    ...ofRun,
    body: { question: 'The design is done. Go on?', options: ['yes', 'no'] },
    reply: plain({ ...checkpoint, task: null, task_key: null, attempt: null }),
  },
  updateRun: { ...ofRun, body: { labels: { team: 'users' } }, reply: plain(run) },
  listRunArtifacts: { ...ofRun, reply: plain(only(artifact)) },
  readRunLogs: { ...ofRun, query: { limit: 100 }, reply: plain(logPage) },

  ...SCHEDULING_EXAMPLES,

  createTask: {
    body: {
      id: 'dash-42',
      title: 'Design the API',
      spec: 'Design a users API.',
      needs: { engine: 'claude' },
    },
    reply: plain({ ...taskDetail, id: 'dash-42', status: 'ready', attempt: null } as const),
  },
  listTasks: {
    query: { status: 'running,waiting', needs_human: 'true' },
    reply: plain(only(task)),
  },
  getTask: { ...ofTask, reply: plain(taskDetail) },
  explainTask: {
    ...ofTask,
    reply: {
      task: designId,
      status: 'ready',
      sentence: 'Ready, and waiting for a worker with the engine claude.',
      next: 'a slot of laptop becomes free',
      waits_for: [],
      holds: [],
      engine: 'claude',
      candidates: [
        {
          worker: workerId,
          name: 'laptop',
          eligible: false,
          score: null,
          parts: {},
          disqualified: ['no free slot (4 of 4 in use)'],
        },
      ],
      winner: null,
      facts: {},
    },
  },
  approveTask: { ...ofTask, body: {}, reply: plain(task) },
  rejectTask: {
    ...ofTask,
    body: { reason },
    reply: plain({ ...task, status: 'cancelled', reason } as const),
  },
  answerTask: { ...ofTask, body: { option: 'jwt' }, reply: plain(task) },
  assignTask: {
    ...ofTask,
    body: { worker: 'laptop' },
    reply: plain({ ...task, assigned_worker: 'laptop' }),
  },
  cancelTask: {
    ...ofTask,
    body: { reason },
    reply: plain({ ...task, status: 'cancelled', reason } as const),
  },
  retryTask: {
    ...ofTask,
    body: { downstream: 'reset' },
    reply: plain({ ...task, status: 'ready', generation: 2, attempt_count: 0 } as const),
  },
  progressTask: {
    ...ofTask,
    body: { percent: 40, text: 'writing the schema' },
    reply: plain(task),
  },
  listNotes: { ...ofTask, reply: only(note) },
  addNote: { ...ofTask, body: { text: 'Keep the old paths alive.', urgent: true }, reply: note },
  listAttempts: { ...ofTask, reply: plain(only(attempt)) },
  readTaskLogs: { ...ofTask, query: { stream: 'stdout' }, reply: plain(logPage) },
  streamTaskLogs: { ...ofTask },
  listTaskEvents: { ...ofTask, reply: plain(only(event)) },
  listTaskArtifacts: { ...ofTask, reply: plain(only(artifact)) },
  listOutputs: { ...ofTask, reply: plain(only(output)) },
  getTaskDiff: { ...ofTask },
  addDependency: {
    params: { id: buildId },
    body: { upstream: designId, type: 'input', contract_key: 'api_schema' },
    reply: plain(dependency),
  },
  removeDependency: { params: { id: buildId, dependency: dependencyId } },
  openTaskCheckpoint: {
    ...ofTask,
    body: { question: 'JWT or session cookies?', options: ['jwt', 'cookies'], default: 'jwt' },
    reply: plain({ ...checkpoint, attempt: null }),
  },
  updateTask: {
    ...ofTask,
    body: { spec: 'Design the users API, with paging.', priority: 'high' },
    reply: plain(taskDetail),
  },
  messageTask: {
    ...ofTask,
    body: { text: 'Mind the rate limits.' },
    reply: plain({ ...note, delivered: true }),
  },

  ...DELEGATION_EXAMPLES,

  ...LIFE_EXAMPLES,

  listCheckpoints: {
    query: { status: 'open' },
    reply: plain(only({ ...checkpoint, holds_up: 3 })),
  },
  getCheckpoint: { params: { id: checkpointId }, reply: plain(checkpoint) },
  resolveCheckpoint: {
    params: { id: checkpointId },
    body: { option: 'jwt' },
    reply: plain(decided),
  },

  ...WORKER_EXAMPLES,

  claimAttempts: {
    ...ofWorker,
    query: { wait: 30 },
    body: { max: 1 },
    reply: plain({ items: [{ ...assignment, token: 'bata_...' }] }),
  },
  heartbeatWorker: {
    ...ofWorker,
    body: { attempts: [{ id: attemptId, epoch }] },
    reply: { cancel: [], yields: [], stale: [], lease_seconds: 90 },
  },

  getAttempt: { ...ofAttempt, reply: plain(attempt) },
  readAttemptLogs: { ...ofAttempt, reply: plain(logPage) },
  getAssignment: { ...ofAttempt, reply: plain(assignment) },
  startAttempt: { ...ofAttempt, body: { epoch, pid: 4711 }, reply: accepted('running') },
  heartbeatAttempt: { ...ofAttempt, body: { epoch }, reply: goesOn },
  progressAttempt: {
    ...ofAttempt,
    body: { epoch, progress: { percent: 40, text: 'writing the schema' } },
    reply: accepted('running'),
  },
  appendAttemptLog: {
    ...ofAttempt,
    body: { epoch, offset: 0, data: 'reading the repository\n' },
    reply: { next_offset: 23 },
  },
  setAttemptOutput: {
    ...ofAttempt,
    body: { epoch, key: 'api_schema', data: { paths: {} } },
    reply: plain(output),
  },
  addAttemptArtifact: {
    ...ofAttempt,
    body: {
      epoch,
      name: 'design.patch',
      kind: 'patch',
      media_type: 'text/x-diff',
      size: 1_834,
      sha256,
    },
    reply: plain({ artifact, upload: artifactId }),
  },
  openAttemptCheckpoint: {
    ...ofAttempt,
    body: {
      epoch,
      question: 'JWT or session cookies?',
      options: ['jwt', 'cookies'],
      default: 'jwt',
    },
    reply: plain({ ...checkpoint, yield: false }),
  },
  planAttempt: {
    ...ofAttempt,
    body: { epoch, plan: '1. the schema  2. the handlers  3. their tests' },
    reply: plain({
      ...checkpoint,
      kind: 'plan_approval',
      question: 'Approve the plan of design?',
      options: ['approve', 'revise', 'reject'],
      default_option: null,
      yield: false,
    }),
  },
  getAttemptCheckpoint: {
    params: { id: attemptId, checkpoint: checkpointId },
    query: { wait: 50 },
    reply: plain(decided),
  },
  noteAttempt: {
    ...ofAttempt,
    body: { epoch, text: 'The old paths stay.' },
    reply: accepted('running'),
  },
  completeAttempt: { ...ofAttempt, body: plain({ epoch, result }), reply: accepted('succeeded') },
  failAttempt: {
    ...ofAttempt,
    body: { epoch, reason: 'the tests do not pass', failure_class: 'agent_error' },
    reply: accepted('failed'),
  },
  releaseAttempt: {
    ...ofAttempt,
    body: { epoch, reason: 'this machine shuts down' },
    reply: accepted('released'),
  },

  getArtifact: { params: { id: artifactId }, reply: plain(artifact) },
  getArtifactContent: { params: { id: artifactId } },
  putUpload: { params: { id: artifactId }, reply: plain(artifact) },

  healthz: { reply: { status: 'ok' } },
  livez: { reply: { status: 'ok' } },
  readyz: { reply: { status: 'ok' } },
  openapi: { reply: { openapi: '3.1.0' } },
  docs: {},
  login: { body: { code: '...' }, reply: { user: 'owner', project } },
  logout: {},
  createLoginLink: {
    body: {},
    reply: { login_url: 'http://127.0.0.1:4664/login#...', expires_at: later },
  },
  me: {
    reply: {
      kind: 'key',
      id: keyId,
      name: 'ci',
      project,
      scopes: ['read', 'run'],
      server_version: '0.1.0',
    },
  },
  listApiKeys: { reply: plain(only(apiKey)) },
  createApiKey: {
    body: { name: 'ci', scopes: ['read', 'run'], expires_in: 7_776_000 },
    reply: plain({ ...apiKey, key: 'bat_...' }),
  },
  revokeApiKey: { params: { id: keyId } },
  checkDatabase: {
    reply: {
      ok: true,
      checks: [
        {
          id: 'one-live-attempt',
          invariant: 'A1',
          words: 'A task has at most one live attempt.',
          count: 0,
          faults: [],
        },
      ],
    },
  },
  backupDatabase: {},
  listEngines: { reply: { items: [{ name: 'claude', built_in: true, workers: 1 }] } },
  listEvents: { query: { run: runId, after: 'now' }, reply: plain(only(event)) },
};
