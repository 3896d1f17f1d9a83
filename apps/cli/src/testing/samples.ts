import type { Checkpoint, Run, Task, TaskDetail } from '@baton/contract';

/** The present of these samples. */
export const NOW_MS = Date.parse('2030-01-01T12:00:00.000Z');

/** An instant so many seconds before that. */
export function before(seconds: number): string {
  return new Date(NOW_MS - seconds * 1_000).toISOString();
}

/** A page of a list that has no other. */
export function page(items: readonly unknown[]) {
  return { items, next_cursor: null };
}

export const RUN: Run = {
  id: 'run_1',
  project: 'prj_1',
  goal: 'Users API',
  status: 'running',
  reason: null,
  planning: 'idle',
  source: 'api',
  input: {},
  labels: {},
  policy: {
    on_task_failure: 'continue',
    require_dispatch_approval: 'never',
    require_plan_approval: false,
  },
  deliver: 'branch',
  delivery: { state: 'none' },
  plan_version: 1,
  seq: 9,
  task_count: 2,
  tasks_by_status: { completed: 1, running: 1 },
  needs_human: 0,
  usd: '0',
  lineage_root: 'run_1',
  rerun_of: null,
  created_by: 'owner',
  created_at: before(120),
  started_at: before(120),
  ended_at: null,
  updated_at: before(5),
};

export const TASK: Task = {
  id: 'task_1',
  project: 'prj_1',
  run: 'run_1',
  key: 'design',
  title: 'Design it',
  spec: { spec: 'Design the API.', needs: { engine: 'claude' } } as Task['spec'],
  status: 'completed',
  reason: null,
  generation: 1,
  epoch: 1,
  plan_version: 1,
  attempt_count: 1,
  attempt: 'att_1',
  worker: 'wrk_1',
  worker_name: 'forge',
  assigned_worker: null,
  needs_human: false,
  progress: null,
  result: { status: 'success', summary: 'Designed\u001b[31m it' },
  outdated: false,
  verification: null,
  verifies: null,
  failure_class: null,
  review: { state: 'none', by: null, at: null, note: null },
  parent_task: null,
  lineage_root: 'run_1',
  depth: 0,
  rerun_of: null,
  origin: null,
  retry_at: null,
  usd: '0',
  created_at: before(120),
  ready_at: before(119),
  started_at: before(118),
  ended_at: before(60),
  updated_at: before(60),
};

export const BUILD: Task = {
  ...TASK,
  id: 'task_2',
  key: 'build',
  title: 'Build it',
  status: 'running',
  result: null,
  progress: { percent: 40, text: 'writing', at: before(9) },
  started_at: before(30),
  ended_at: null,
};

export const DETAIL: TaskDetail = {
  ...BUILD,
  inputs: { api_schema: { type: 'object' } },
  outputs: [],
  dependencies: [
    {
      id: 'dep_1',
      run: 'run_1',
      upstream: 'task_1',
      upstream_key: 'design',
      downstream: 'task_2',
      downstream_key: 'build',
      type: 'input',
      contract_key: 'api_schema',
      as: 'api_schema',
      on: 'success',
      satisfied: true,
      plan_version: 1,
    },
  ],
  dependents: [],
  open_checkpoints: [],
  plan: null,
};

export const QUESTION: Checkpoint = {
  id: 'chk_1',
  project: 'prj_1',
  run: 'run_1',
  task: 'task_2',
  task_key: 'build',
  attempt: 'att_2',
  kind: 'question',
  question: 'JWT or session cookies?',
  context: null,
  options: ['JWT', 'cookies'],
  freeform: false,
  default_option: 'JWT',
  timeout_at: new Date(NOW_MS + 60_000).toISOString(),
  on_timeout: 'use_default',
  answer_by: 'human',
  resume: 'live',
  facts_sha256: null,
  status: 'open',
  resolution: null,
  opened_by: 'build',
  opened_at: before(30),
  closed_at: null,
};
