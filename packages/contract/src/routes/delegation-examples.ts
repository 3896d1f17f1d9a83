import type { RouteExample } from './examples.ts';
import type { delegationRoutes } from './delegation.ts';
import {
  at,
  attemptId,
  buildId,
  checkpointId,
  designId,
  later,
  runId,
  task,
  workerId,
} from './example-objects.ts';
import { plain } from './plain-example.ts';

const epoch = 4294967297;
const only = <T>(item: T): { items: T[]; next_cursor: null } => ({
  items: [item],
  next_cursor: null,
});
const ofRun = { params: { id: runId } } as const;
const ofTask = { params: { id: designId } } as const;
const ofAttempt = { params: { id: attemptId } } as const;

const taskAwait = {
  id: 'awt_01jd8x9v0xj5s3e6g8t1w4y7bc',
  task: designId,
  attempt: attemptId,
  tasks: [buildId],
  policy: 'all',
  quorum: null,
  needed: 1,
  status: 'open',
  partial: false,
  deadline_at: later,
  results: [],
  opened_at: at,
  closed_at: null,
} as const;

const action = {
  task: designId,
  attempt: attemptId,
  call: 'toolu_01',
  kind: 'tool_call',
  name: 'Edit',
  target: 'src/api.ts',
  effect: 'local_write',
  status: 'succeeded',
  input_sha256: null,
  refs: {},
  started_at: at,
  ended_at: later,
} as const;

const timeline = {
  run: runId,
  from: at,
  to: null,
  lanes: [
    {
      id: designId,
      title: 'Design the API',
      task: {
        id: designId,
        key: 'design',
        kind: 'agent',
        status: 'running',
        parent_task: null,
        created_at: at,
        ready_at: at,
        ended_at: null,
      },
      attempts: [
        {
          attempt: attemptId,
          task: designId,
          key: 'design',
          number: 1,
          generation: 1,
          worker: workerId,
          worker_name: 'laptop',
          engine: 'claude',
          status: 'running',
          failure_class: null,
          claimed_at: at,
          started_at: at,
          ended_at: null,
        },
      ],
    },
  ],
  checkpoints: [
    {
      id: checkpointId,
      task: designId,
      kind: 'question',
      status: 'open',
      question: 'JWT or session cookies?',
      opened_at: later,
      closed_at: null,
    },
  ],
  idle: [],
} as const;

const stats = {
  at: later,
  since: at,
  runs: { running: 1 },
  tasks: { running: 1, blocked: 1 },
  running: [
    {
      task: designId,
      run: runId,
      key: 'design',
      title: 'Design the API',
      worker_name: 'laptop',
      engine: 'claude',
      progress: { percent: 40, text: 'writing the schema', at: later },
      started_at: at,
    },
  ],
  attempts: {
    total: 1,
    by_status: { running: 1 },
    by_failure_class: {},
    by_engine: { claude: 1 },
  },
  usage: {
    input_tokens: 18_204,
    output_tokens: 2_310,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    usd: '0.42',
  },
} as const;

const delegationStats = {
  at: later,
  spawned: 3,
  open_children: 2,
  awaits: { open: 1 },
  resurrections: 0,
  live_injections: 0,
  cap_rejections: 0,
  breaker_trips: 0,
  respawn_refusals: {},
  respawns_forced: 0,
  gate_downgrades: 0,
} as const;

/** One example of each route about work that is handed on, and what came of it. */
export const DELEGATION_EXAMPLES: {
  readonly [N in keyof typeof delegationRoutes]: RouteExample<N>;
} = {
  waitTasks: {
    body: { ids: [designId, buildId], policy: 'any', timeout: 60 },
    reply: plain({ met: false, needed: 1, ended: 0, tasks: [task] }),
  },
  listChildren: { ...ofTask, reply: plain(only({ ...task, parent_task: designId })) },
  listAwaits: { ...ofTask, reply: plain(only(taskAwait)) },
  wakeTask: { ...ofTask, body: {}, reply: plain({ ...task, status: 'ready' } as const) },
  awaitAttempt: {
    ...ofAttempt,
    body: { epoch, policy: 'all', timeout: 3_600 },
    reply: plain({ await: taskAwait, yield: true, met: false, results: [] }),
  },
  recordActions: {
    ...ofAttempt,
    body: {
      epoch,
      actions: [{ call: 'toolu_01', name: 'Edit', target: 'src/api.ts', effect: 'local_write' }],
    },
    reply: { attempt: attemptId, recorded: 1 },
  },
  listActions: { ...ofTask, reply: plain(only(action)) },
  getTimeline: { ...ofRun, reply: plain(timeline) },
  getStats: { reply: plain(stats) },
  getDelegationStats: { reply: plain(delegationStats) },
};
