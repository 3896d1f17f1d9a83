import type { Json, Run, TaskStatus } from '@baton/contract';
import { SAMPLE_DIFF } from './sample-diff.ts';
import {
  addAttempt,
  addCheckpoint,
  addEdge,
  addRun,
  addTask,
  agentLines,
  at,
  type World,
} from './world.ts';

const SHA = '4be1c02f9a7d55e08c3b6f1a29d47e8810c5f3aa';

/** A pipeline in the middle of its work: one agent works, one asks, one step waits for approval. */
export function activeScene(world: World): Run {
  const run = addRun(world, {
    goal: 'Users API with sign-in: design the schema, build both halves in parallel, verify, integrate',
    status: 'running',
    usd: '3.1042',
  });
  const agent = { needs: { engine: 'claude' }, workspace: { repo: 'gateway' } };
  const design = addTask(world, run.id, {
    key: 'design',
    title: 'Design the users API',
    status: 'completed',
    spec: {
      ...agent,
      role: 'planner',
      spec: 'Design the users API and hand on its schema.',
      outputs: [{ key: 'api_schema', type: 'api_schema' }],
    },
    worker_name: 'lathe',
    usd: '0.4120',
  });
  const users = addTask(world, run.id, {
    key: 'impl-users',
    title: 'Implement users endpoints',
    status: 'running',
    spec: { ...agent, role: 'implementer', spec: 'Build GET and POST /users.' },
    worker_name: 'lathe',
    usd: '1.2210',
    progress: { percent: 60, text: 'running the tests', at: at(-4_000) },
  });
  const auth = addTask(world, run.id, {
    key: 'impl-auth',
    title: 'Implement sign-in',
    status: 'waiting',
    needs_human: true,
    spec: { ...agent, role: 'implementer', spec: 'Build POST /login.' },
    worker_name: 'drill',
    usd: '0.9012',
    updated_at: at(-240_000),
  });
  const verify = addTask(world, run.id, {
    key: 'verify',
    title: 'Run all tests in a clean checkout',
    status: 'blocked',
    spec: { kind: 'verify', role: 'verifier', needs: { engine: 'shell' }, spec: 'npm test' },
  });
  const integrate = addTask(world, run.id, {
    key: 'integrate',
    title: 'Merge both halves and test again',
    status: 'blocked',
    spec: { kind: 'integrate', role: 'integrator', needs: { engine: 'shell' }, spec: 'npm test' },
  });
  const docs = addTask(world, run.id, {
    key: 'docs',
    title: 'Write the reference page',
    status: 'ready',
    spec: { ...agent, role: 'reviewer', spec: 'Document the endpoints.' },
  });
  const deploy = addTask(world, run.id, {
    key: 'deploy-staging',
    title: 'Deploy to staging',
    status: 'awaiting_approval',
    needs_human: true,
    spec: { kind: 'command', spec: './deploy.sh staging', approval: { dispatch: true } },
  });
  addEdge(world, design, users, { type: 'input', contract_key: 'api_schema', as: 'api_schema' });
  addEdge(world, design, auth, { type: 'input', contract_key: 'api_schema', as: 'api_schema' });
  addEdge(world, design, docs, { type: 'related' });
  addEdge(world, users, verify);
  addEdge(world, auth, verify);
  addEdge(world, verify, integrate, { type: 'gate' });
  addEdge(world, design, deploy);
  addCheckpoint(world, auth, {
    question: 'Which session mechanism should /login use: JWT or session cookies?',
    options: ['JWT', 'session cookies'],
    default_option: 'JWT',
    on_timeout: 'use_default',
    timeout_at: at(600_000),
  });
  addCheckpoint(world, deploy, {
    kind: 'dispatch_approval',
    question: 'Start “Deploy to staging”?',
    options: ['approve', 'reject'],
    freeform: false,
    context: { command: './deploy.sh staging', worker: 'any', repo: 'gateway@main' },
    opened_at: at(-420_000),
  });
  fillDesign(world, design.id);
  fillUsers(world, users.id);
  addAttempt(world, auth, { status: 'parked', worker_name: 'drill' });
  return run;
}

function fillDesign(world: World, task: string): void {
  const design = world.tasks.get(task);
  if (design === undefined) return;
  const schema: Json = {
    openapi: '3.1.0',
    paths: {
      '/users': { get: { operationId: 'listUsers' }, post: { operationId: 'createUser' } },
      '/login': { post: { operationId: 'login' } },
    },
  };
  const attempt = addAttempt(world, design, {
    status: 'succeeded',
    exit_code: 0,
    ended_at: at(-120_000),
  });
  const result = {
    status: 'success' as const,
    summary:
      'Designed three endpoints (list, create, login) with cursor paging and problem documents. The schema is handed on as `api_schema`.',
    changes: {
      files_modified: ['README.md'],
      files_created: ['openapi.yaml'],
      files_deleted: [],
      insertions: 84,
      deletions: 2,
    },
    tests: { passed: 12, failed: 0, skipped: 0 },
    commit: { repo: 'gateway', base: '0'.repeat(40), commit: SHA, branch: 'baton/run/design' },
  };
  world.tasks.set(task, { ...design, attempt: attempt.id, result });
  world.outputs.set(task, [
    {
      key: 'api_schema',
      type: 'api_schema',
      data: schema,
      sha256: 'a'.repeat(64),
      attempt: attempt.id,
      generation: 1,
      fulfilled_at: at(-120_000),
    },
  ]);
  world.diffs.set(task, SAMPLE_DIFF);
  world.say(
    attempt.id,
    'agent',
    agentLines(
      { type: 'message', text: 'The schema is done.' },
      {
        type: 'outcome',
        status: 'ok',
        summary: result.summary,
        exit_reason: 'finished',
        exit_code: 0,
        signal: null,
      },
    ),
  );
}

function fillUsers(world: World, task: string): void {
  const users = world.tasks.get(task);
  if (users === undefined) return;
  addAttempt(world, users, {
    status: 'lost',
    number: 1,
    failure_class: 'lost',
    reason: 'no heartbeat for 90 s',
    ended_at: at(-200_000),
    started_at: at(-280_000),
  });
  const attempt = addAttempt(
    world,
    { ...users, attempt_count: 2 },
    { number: 2, worker_name: 'lathe' },
  );
  world.say(
    attempt.id,
    'agent',
    agentLines(
      { type: 'session', conversation: 'b2c1', model: 'claude-sonnet-4-5', version: '2.0.14' },
      {
        type: 'message',
        text: 'I will read the schema first, then build the handlers with tests next to them.',
      },
      {
        type: 'thinking',
        text: 'The schema says cursor paging. The store already has a keyset helper, so I can use that instead of an offset.\nThe tests should cover an empty page.',
      },
      {
        type: 'tool_call',
        id: '1',
        name: 'Read',
        target: '.baton/inputs/api_schema.json',
        input: { path: '.baton/inputs/api_schema.json' },
        at: at(-90_000),
      },
      {
        type: 'tool_result',
        id: '1',
        ok: true,
        output: '{ "openapi": "3.1.0" }',
        cut: false,
        at: at(-89_500),
      },
      {
        type: 'tool_call',
        id: '2',
        name: 'Edit',
        target: 'src/users/list-users.ts',
        input: { path: 'src/users/list-users.ts', old: 'offset', new: 'cursor' },
        at: at(-80_000),
      },
      { type: 'tool_result', id: '2', ok: true, output: 'edited', cut: false, at: at(-79_800) },
      { type: 'message', text: 'Handlers are in place. Now the tests.' },
      {
        type: 'tool_call',
        id: '3',
        name: 'Bash',
        target: 'npm test -- users',
        input: { command: 'npm test -- users' },
        at: at(-60_000),
      },
      {
        type: 'tool_result',
        id: '3',
        ok: false,
        exit_code: 1,
        output:
          'FAIL src/users/list-users.test.ts\n  expected next_cursor to be null on the last page',
        cut: false,
        at: at(-52_000),
      },
      {
        type: 'permission_denied',
        tool: 'Bash',
        target: 'rm -rf node_modules',
        reason: 'outside of the workspace rules',
      },
      { type: 'rate_limit', state: 'warning', text: '80 % of the hourly limit used' },
      { type: 'message', text: 'The last page must answer null. I fix the helper.' },
      {
        type: 'tool_call',
        id: '4',
        name: 'Bash',
        target: 'npm test',
        input: { command: 'npm test' },
        at: at(-4_000),
      },
      {
        type: 'usage',
        input_tokens: 8_412,
        output_tokens: 2_210,
        cache_read_tokens: 120_400,
        cache_write_tokens: 9_100,
        usd: '1.2210',
        estimated: false,
      },
    ),
  );
  const lines = Array.from(
    { length: 400 },
    (_, index) => `\u001b[32m✓\u001b[0m users case ${index + 1}`,
  );
  world.say(attempt.id, 'stdout', `> gateway@1.4.0 test\n${lines.join('\n')}\n`);
  world.say(attempt.id, 'stderr', 'warning: experimental loader\n');
}

/** Runs that have ended, each in its way. */
export function endedScenes(world: World): void {
  const done = addRun(world, {
    goal: 'Add a health check endpoint',
    status: 'completed',
    usd: '0.6100',
    ended_at: at(-3_600_000),
    updated_at: at(-3_600_000),
    delivery: { state: 'delivered', repo: 'gateway', branch: 'main', commit: SHA },
  });
  const main = addTask(world, done.id, {
    key: 'main',
    title: 'Add a health check endpoint',
    status: 'completed',
    worker_name: 'lathe',
    spec: { needs: { engine: 'codex' }, spec: 'Add a health check endpoint' },
    usd: '0.6100',
  });
  addAttempt(world, main, { status: 'succeeded' });
  const failed = addRun(world, {
    goal: 'Migrate the store to the new schema',
    status: 'failed',
    reason: 'migrate failed',
    usd: '2.0000',
    ended_at: at(-86_400_000),
    updated_at: at(-86_400_000),
    deliver: 'branch',
    delivery: { state: 'refused', detail: 'main moved to 91ab77c while the run worked' },
  });
  const migrate = addTask(world, failed.id, {
    key: 'migrate',
    title: 'Write the migration',
    status: 'failed',
    failure_class: 'agent_error',
    reason: 'tests still fail after 3 attempts',
    attempt_count: 3,
    worker_name: 'drill',
    spec: { needs: { engine: 'claude' }, role: 'implementer' },
    usd: '2.0000',
  });
  const check = addTask(world, failed.id, {
    key: 'check',
    title: 'Check old data',
    status: 'skipped',
    reason: 'dependency_failed:migrate',
    spec: { role: 'verifier' },
  });
  addEdge(world, migrate, check);
  addAttempt(world, migrate, {
    status: 'failed',
    number: 3,
    failure_class: 'agent_error',
    reason: 'tests still fail',
  });
  const gone = addRun(world, {
    goal: 'Try another logger',
    status: 'cancelled',
    ended_at: at(-172_800_000),
    updated_at: at(-172_800_000),
  });
  addTask(world, gone.id, {
    key: 'main',
    title: 'Try another logger',
    status: 'cancelled',
    reason: 'not now',
  });
}

/** A wide run, for the minimap and the speed of the graph. */
export function wideScene(world: World, tasks: number): Run {
  const run = addRun(world, {
    goal: `Rename the package in ${tasks} services`,
    status: 'running',
    usd: '18.2000',
  });
  const root = addTask(world, run.id, {
    key: 'plan',
    title: 'List the services',
    status: 'completed',
    spec: { role: 'planner' },
  });
  const last = addTask(world, run.id, {
    key: 'reduce',
    title: 'Collect the patches',
    status: 'blocked',
    spec: { role: 'reducer' },
  });
  const statuses: readonly TaskStatus[] = ['completed', 'completed', 'running', 'ready', 'blocked'];
  for (let index = 0; index < tasks; index += 1) {
    const status = statuses[index % statuses.length] ?? 'ready';
    const step = addTask(world, run.id, {
      key: `service-${index}`,
      title: `Rename in service ${index}`,
      status,
      worker_name: status === 'running' ? 'lathe' : null,
      spec: { role: 'implementer', needs: { engine: 'codex' } },
    });
    addEdge(world, root, step);
    addEdge(world, step, last);
  }
  return run;
}
