import { taskSpec } from '../task-spec.ts';

/** Objects that the examples of routes are made of: one run, seen from all sides. */
export const project = 'prj_01jd8x2k4tf9zsp1gqyk3m7e5c';
export const runId = 'run_01jd8x3m2nfz8bq5w0v4c6t7ha';
export const designId = 'task_01jd8x3m2pe5trk9c7x2d8w1mb';
export const buildId = 'task_01jd8x3m2pe5trk9c7x2d8w1mc';
export const attemptId = 'att_01jd8x4q6rf2pt7h9m3k5n8xyz';
export const workerId = 'wrk_01jd8x1a2bc3de4fg5hj6km7np';
export const checkpointId = 'chk_01jd8x5s8vgz3q1c4e6r9t2wxy';
export const artifactId = 'art_01jd8x6t9wh4r2d5f7s0v3x6za';
export const dependencyId = 'dep_01jd8x3m2sf6vtm8e9z4f0y3pd';
const noteId = 'note_01jd8x7v0xj5s3e6g8t1w4y7bc';
export const keyId = 'key_01jd8x0z1ab2cd3ef4gh5jk6mn';
export const sha256 = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';
export const at = '2026-03-04T09:30:00.000Z';
export const later = '2026-03-04T09:31:12.345Z';
export const reason = 'not needed any more';

const schema = { type: 'object', required: ['paths'] };
const designSpec = taskSpec.parse({
  title: 'Design the API',
  spec: 'Design a users API and hand on its OpenAPI document.',
  needs: { engine: 'claude' },
  workspace: { repo: 'https://git.example/acme/gateway.git', ref: 'main' },
  outputs: [{ key: 'api_schema', type: 'api_schema', schema }],
});

export const run = {
  id: runId,
  project,
  goal: 'Users API',
  status: 'running',
  reason: null,
  planning: 'idle',
  source: 'api',
  input: {},
  labels: { team: 'core' },
  policy: {
    on_task_failure: 'continue',
    require_dispatch_approval: 'never',
    require_plan_approval: false,
  },
  deliver: 'branch',
  delivery: { state: 'none' },
  plan_version: 1,
  seq: 7,
  task_count: 2,
  tasks_by_status: { running: 1, blocked: 1 },
  needs_human: 0,
  usd: '0.42',
  lineage_root: runId,
  rerun_of: null,
  created_by: 'owner',
  created_at: at,
  started_at: at,
  ended_at: null,
  updated_at: later,
} as const;

export const result = {
  status: 'success',
  summary: 'The API has three paths.',
  contracts: { api_schema: { paths: {} } },
} as const;

export const task = {
  id: designId,
  project,
  run: runId,
  key: 'design',
  title: 'Design the API',
  spec: designSpec,
  status: 'running',
  reason: null,
  generation: 1,
  epoch: 4294967297,
  plan_version: 1,
  attempt_count: 1,
  attempt: attemptId,
  worker: workerId,
  worker_name: 'laptop',
  assigned_worker: null,
  needs_human: false,
  progress: { percent: 40, text: 'writing the schema', at: later },
  result: null,
  outdated: false,
  verification: null,
  verifies: null,
  failure_class: null,
  review: { state: 'none', by: null, at: null, note: null },
  parent_task: null,
  lineage_root: runId,
  depth: 0,
  rerun_of: null,
  origin: null,
  retry_at: null,
  usd: '0.42',
  created_at: at,
  ready_at: at,
  started_at: at,
  ended_at: null,
  updated_at: later,
} as const;

export const dependency = {
  id: dependencyId,
  run: runId,
  upstream: designId,
  upstream_key: 'design',
  downstream: buildId,
  downstream_key: 'build',
  type: 'input',
  contract_key: 'api_schema',
  as: 'api_schema',
  on: 'success',
  satisfied: false,
  plan_version: 1,
} as const;

export const taskDetail = {
  ...task,
  inputs: {},
  outputs: [],
  dependencies: [],
  dependents: [dependency],
  open_checkpoints: [],
  plan: null,
};

export const output = {
  key: 'api_schema',
  type: 'api_schema',
  data: { paths: {} },
  sha256,
  attempt: attemptId,
  generation: 1,
  fulfilled_at: later,
} as const;

export const attempt = {
  id: attemptId,
  task: designId,
  run: runId,
  number: 1,
  generation: 1,
  epoch: 4294967297,
  worker: workerId,
  worker_name: 'laptop',
  engine: 'claude',
  status: 'running',
  failure_class: null,
  reason: null,
  conversation: '6f1c2b9e-8a44-4c19-9d0f-2b6a1f0e7c55',
  prompt_sha256: sha256,
  manifest: { inputs: {} },
  manifest_sha256: sha256,
  usage: {
    input_tokens: 18_204,
    output_tokens: 2_310,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    usd: '0.42',
  },
  exit_code: null,
  result: null,
  orphan_result: null,
  lease_until: later,
  claimed_at: at,
  started_at: at,
  ended_at: null,
} as const;

export const artifact = {
  id: artifactId,
  task: designId,
  run: runId,
  attempt: attemptId,
  name: 'design.patch',
  kind: 'patch',
  media_type: 'text/x-diff',
  size: 1_834,
  sha256,
  meta: {},
  created_at: later,
} as const;

export const checkpoint = {
  id: checkpointId,
  project,
  run: runId,
  task: designId,
  task_key: 'design',
  attempt: attemptId,
  kind: 'question',
  question: 'JWT or session cookies?',
  context: null,
  options: ['jwt', 'cookies'],
  freeform: false,
  default_option: 'jwt',
  timeout_at: later,
  on_timeout: 'use_default',
  answer_by: 'human',
  resume: 'live',
  facts_sha256: null,
  status: 'open',
  resolution: null,
  opened_by: 'laptop',
  opened_at: at,
  closed_at: null,
} as const;

export const decided = {
  ...checkpoint,
  status: 'resolved',
  resolution: { option: 'jwt', reason: null, by: 'owner', via: 'api', at: later },
  closed_at: later,
} as const;

export const worker = {
  id: workerId,
  project,
  name: 'laptop',
  status: 'online',
  labels: { os: 'linux', arch: 'x64' },
  capabilities: {
    engines: [{ name: 'claude', version: '2.1.0', auth: 'ok' }],
    repos: [{ name: 'gateway', url: 'https://git.example/acme/gateway.git' }],
    languages: ['rust'],
    tools: [],
    environments: [],
    cpu: 8,
  },
  slots: 4,
  slots_used: 1,
  draining: false,
  ephemeral: false,
  version: '0.1.0',
  attempts: [attemptId],
  registered_at: at,
  last_seen_at: later,
} as const;

export const assignment = {
  attempt: { id: attemptId, epoch: 4294967297, number: 1, generation: 1 },
  project,
  run: { id: runId, goal: 'Users API', input: {}, labels: {} },
  task: {
    id: designId,
    key: 'design',
    title: 'Design the API',
    spec: designSpec,
    engine: 'claude',
  },
  inputs: {},
  upstream: [],
  bases: {},
  notes: [],
  last_failure: null,
  feedback: null,
  conversation: null,
  answer: null,
  continue: null,
  plan: null,
  decisions: [],
  started: false,
  lease_seconds: 90,
  saved: null,
  heartbeat_seconds: 10,
};

export const note = {
  id: noteId,
  task: designId,
  author: 'owner',
  text: 'Keep the old paths alive.',
  urgent: true,
  created_at: later,
};

export const event = {
  cursor: '1.42',
  pos: 42,
  run_seq: 3,
  project,
  run: runId,
  task: designId,
  attempt: attemptId,
  type: 'task.started',
  actor: { kind: 'worker', id: workerId, name: 'laptop' },
  cause: 'attempt.start',
  at,
  data: { attempt: attemptId, worker_name: 'laptop' },
} as const;

export const apiKey = {
  id: keyId,
  name: 'ci',
  scopes: ['read', 'run'],
  created_at: at,
  expires_at: null,
  last_used_at: later,
} as const;

export const logPage = {
  items: [
    {
      attempt: attemptId,
      stream: 'stdout',
      offset: 0,
      data: 'reading the repository\n',
      encoding: 'utf8',
      at: later,
    },
  ],
  next_cursor: null,
  ended: false,
} as const;

export const limit = {
  key: 'engine:claude',
  max_running: 2,
  rate_per_minute: 30,
  burst: 2,
  running: 1,
  holders: [{ task: designId, key: 'design', run: runId, attempt: attemptId }],
  next_start_at: null,
  updated_at: later,
} as const;

export const budget = {
  scope: 'run',
  id: runId,
  limit_usd: '20',
  spent_usd: '0.42',
  reserved_usd: '0.5',
  reserve_usd: '0.5',
  warned: false,
  exhausted: false,
} as const;
