import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint, Run, Task, TaskDetail } from '@baton/contract';
import { createClient } from '@baton/sdk';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from './cli.ts';

const NOW_MS = Date.parse('2030-01-01T12:00:00.000Z');
const before = (seconds: number): string => new Date(NOW_MS - seconds * 1_000).toISOString();
const dataDir = mkdtempSync(join(tmpdir(), 'baton-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

/** What the fake control plane answers, by `METHOD path`; and what it was sent. */
let answers: Record<string, unknown>;
let sent: { readonly to: string; readonly body: unknown }[];
let server: Server;
let url = '';

beforeEach(async () => {
  answers = {};
  sent = [];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      const to = `${request.method ?? ''} ${decodeURIComponent(request.url ?? '').replace('/api/v1', '')}`;
      sent.push({ to, body: text === '' ? null : JSON.parse(text) });
      const answer = answers[to] ?? refusal('not_found', 404, `No ${to}.`);
      if (typeof answer === 'string') {
        const isStream = answer.startsWith('data:') || answer.startsWith('event:');
        response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'text/plain' });
        response.end(answer);
        return;
      }
      const status = isProblem(answer) ? answer.status : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function refusal(code: string, status: number, detail: string) {
  return { type: 'about:blank', title: code, status, code, detail, retry: false, facts: {} };
}

function isProblem(value: unknown): value is { readonly status: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'retry' in value &&
    'title' in value &&
    'status' in value
  );
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function baton(
  line: readonly string[],
  world: { readonly stdin?: string; readonly env?: Record<string, string> } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runCli(line, {
    env: { BATON_DATA_DIR: dataDir, BATON_URL: url, BATON_API_KEY: 'bat_test', ...world.env },
    cwd: dataDir,
    stdout: {
      write: (text: string) => {
        out += text;
        return true;
      },
    },
    stderr: {
      write: (text: string) => {
        err += text;
        return true;
      },
    },
    input: {
      isTty: false,
      readAll: () => Promise.resolve(world.stdin ?? ''),
      ask: () => Promise.resolve(undefined),
    },
    signal: new AbortController().signal,
    version: '0.0.0-test',
    nowMs: () => NOW_MS,
    client: ({ target }) =>
      createClient({ baseUrl: target.url, token: target.token, retriesMax: 0 }),
    openBrowser: () => Promise.resolve(false),
  });
  return { code, out, err };
}

const RUN: Run = {
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

const TASK: Task = {
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
  failure_class: null,
  review: { state: 'none', by: null, at: null, note: null },
  parent_task: null,
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

const BUILD: Task = {
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

const DETAIL: TaskDetail = {
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
};

const QUESTION: Checkpoint = {
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

const page = (items: readonly unknown[]) => ({ items, next_cursor: null });

describe('what is printed', () => {
  test('a run with its tasks, cleaned of what its agents wrote', async () => {
    answers['GET /runs/run_1/graph'] = {
      run: RUN,
      tasks: [TASK, BUILD],
      dependencies: [],
      cursor: '1.9',
    };
    expect(await baton(['run', 'view', 'run_1'])).toEqual({
      code: 0,
      err: '',
      out: `run      run_1
goal     Users API
status   running
tasks    1 completed, 1 running
started  2m ago

TASK    STATUS     WORKER  TIME  NOW
design  completed  forge   58s   Designed it
build   running    forge   30s   40% writing
`,
    });
  });

  test('a list of runs; the newest for `last`', async () => {
    answers['GET /runs'] = page([RUN, { ...RUN, id: 'run_0', needs_human: 1, status: 'waiting' }]);
    answers['GET /runs?limit=1'] = page([RUN]);
    answers['POST /runs/run_1/cancel'] = { ...RUN, status: 'cancelling' };
    expect((await baton(['run', 'list'])).out).toBe(
      `RUN    STATUS               TASKS  UPDATED  GOAL
run_1  running              1/2    5s ago   Users API
run_0  waiting (needs you)  1/2    5s ago   Users API
`,
    );
    expect((await baton(['run', 'cancel', 'last', '--reason', 'enough'])).out).toBe(
      'run_1 is cancelling\n',
    );
    expect(sent.at(-1)?.body).toEqual({ reason: 'enough' });
  });

  test('the inbox, with how to answer', async () => {
    answers['GET /checkpoints'] = page([{ ...QUESTION, holds_up: 3 }]);
    expect((await baton(['inbox'])).out).toBe(
      `question chk_1 build of run_1, opened 30s ago, holds up 3, takes JWT in 1m
  JWT or session cookies?
  JWT (default) | cookies
  baton inbox answer chk_1 JWT
`,
    );
  });

  test('why a task is where it is', async () => {
    answers['GET /tasks/task_2/explain'] = {
      task: 'task_2',
      status: 'ready',
      sentence: 'It waits for a worker with the engine claude.',
      next: 'Start one, or log claude in on local.',
      waits_for: [],
      engine: 'claude',
      candidates: [
        {
          worker: 'wrk_1',
          name: 'forge',
          eligible: true,
          score: 255,
          parts: { repo: 100, language: 0 },
          disqualified: [],
        },
        {
          worker: 'wrk_2',
          name: 'local',
          eligible: false,
          score: null,
          parts: {},
          disqualified: ['no engine claude', 'draining'],
        },
      ],
      winner: 'forge',
      facts: {},
    };
    expect((await baton(['task', 'explain', 'task_2'])).out).toBe(
      `ready It waits for a worker with the engine claude.
next Start one, or log claude in on local.

WORKER  SCORE  WHY
forge   255    repo 100
local   -      no engine claude; draining
`,
    );
  });

  test('the answer itself as JSON with --json, on one line', async () => {
    answers['GET /tasks/task_1'] = DETAIL;
    const { out } = await baton(['task', 'view', 'task_1', '--json']);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toEqual(DETAIL);
  });

  test('resolved inputs under the name that scripts look for', async () => {
    answers['GET /tasks/task_2'] = DETAIL;
    const { out } = await baton(['task', 'check', '--id', 'task_2', '--json']);
    expect(JSON.parse(out)).toMatchObject({ resolved_inputs: { api_schema: { type: 'object' } } });
  });

  test('a log without its escape sequences, and with them on --raw', async () => {
    const data = '\u001b[32mok\u001b[0m\n';
    const chunk = {
      attempt: 'att_1',
      stream: 'stdout',
      offset: 0,
      data,
      encoding: 'utf8',
      at: before(1),
    };
    answers['GET /tasks/task_1/logs'] = { items: [chunk], next_cursor: null, ended: true };
    answers['GET /tasks/task_1/logs/stream'] =
      `data: ${JSON.stringify(chunk)}\n\nevent: end\ndata: {}\n\n`;
    expect((await baton(['logs', 'task_1'])).out).toBe('ok\n');
    expect((await baton(['logs', '-f', 'task_1'])).out).toBe('ok\n');
    expect((await baton(['task', 'logs', 'task_1', '--raw'])).out).toBe(data);
  });

  test('a patch as it is where nobody looks on', async () => {
    answers['GET /tasks/task_1/diff'] = '--- a\n+++ b\n@@ -1 +1 @@\n-x\n+\u001by\n';
    expect((await baton(['task', 'diff', 'task_1'])).out).toBe(answers['GET /tasks/task_1/diff']);
  });
});

describe('naming a task', () => {
  test('works by key where only one task has it', async () => {
    answers['GET /tasks?text=build&limit=200'] = page([BUILD, { ...TASK, key: 'rebuild' }]);
    answers['POST /tasks/task_2/approve'] = { ...BUILD, status: 'ready' };
    expect(await baton(['task', 'approve', 'build'])).toEqual({
      code: 0,
      out: 'build approved, now ready\n',
      err: '',
    });
  });

  test('asks which one where several have it', async () => {
    answers['GET /tasks?text=build&limit=200'] = page([
      BUILD,
      { ...BUILD, id: 'task_9', run: 'run_0' },
    ]);
    expect(await baton(['task', 'approve', 'build'])).toEqual({
      code: 5,
      out: '',
      err: 'error ambiguous 2 tasks have the key build. Say which: run_1/build, run_0/build.\n',
    });
  });

  test('works by RUN/KEY', async () => {
    answers['GET /runs/run_1/graph'] = {
      run: RUN,
      tasks: [TASK, BUILD],
      dependencies: [],
      cursor: '1.9',
    };
    answers['POST /tasks/task_2/cancel'] = { ...BUILD, status: 'cancelled' };
    expect((await baton(['task', 'cancel', 'run_1/build'])).out).toBe('build is cancelled\n');
    const missing = await baton(['task', 'cancel', 'run_1/nope']);
    expect(missing).toMatchObject({
      code: 3,
      err: 'error not_found Run run_1 has no task nope; it has design, build.\n',
    });
  });
});

describe('answering', () => {
  beforeEach(() => {
    answers['GET /checkpoints/chk_1'] = QUESTION;
    answers['POST /checkpoints/chk_1/resolve'] = {
      ...QUESTION,
      status: 'resolved',
      resolution: { option: 'JWT', reason: null, by: 'owner', via: 'cli', at: before(0) },
    };
  });

  test.each([
    ['an option', ['cookies'], { option: 'cookies', via: 'cli' }],
    ['an option in other letters', ['jwt'], { option: 'JWT', via: 'cli' }],
    ['free text', ['neither', 'of', 'them'], { text: 'neither of them', via: 'cli' }],
    ['the default', ['--default'], { use_default: true, via: 'cli' }],
    ['free text that reads like an option', ['JWT', '--text'], { text: 'JWT', via: 'cli' }],
    [
      'with a reason',
      ['JWT', '--reason', 'simpler'],
      { option: 'JWT', via: 'cli', reason: 'simpler' },
    ],
  ])('takes %s', async (_, words, body) => {
    const ran = await baton(['inbox', 'answer', 'chk_1', ...words]);
    expect(ran).toMatchObject({ code: 0, out: 'chk_1 decided: JWT by owner via cli\n' });
    expect(sent.at(-1)?.body).toEqual(body);
  });

  test('says what can be answered where nothing was', async () => {
    expect(await baton(['inbox', 'answer', 'chk_1'])).toEqual({
      code: 2,
      out: '',
      err: 'error bad_request Say the answer, or --default. One of: JWT, cookies.\n',
    });
  });
});

describe('starting a run', () => {
  const graph = { run: RUN, tasks: [TASK], dependencies: [], cursor: '1.0' };

  test('of a goal is one task of the engine and repository named', async () => {
    answers['POST /runs'] = graph;
    const line = [
      'run',
      'fix',
      'the tests',
      '--engine',
      'claude',
      '--repo',
      'gateway',
      '--deliver',
      'merge',
    ];
    const ran = await baton(line);
    expect(ran).toMatchObject({
      code: 0,
      out: `run_1 running, one task\nlook baton run view run_1   ${url}/runs/run_1\n`,
    });
    expect(sent.at(-1)?.body).toEqual({
      goal: 'fix the tests',
      plan: 'none',
      task: { needs: { engine: 'claude' }, workspace: { repo: 'gateway' } },
      deliver: 'merge',
    });
  });

  test('of a plan sends what the file says', async () => {
    answers['POST /runs'] = graph;
    const file = join(dataDir, 'baton.yaml');
    writeFileSync(file, 'goal: g ${{ n }}\nparameters: { n: }\ntasks: { a: { spec: x } }\n');
    expect((await baton(['run', '--plan', 'baton.yaml', '--param', 'n=7'])).code).toBe(0);
    expect(sent.at(-1)?.body).toEqual({
      goal: 'g 7',
      plan: { tasks: [{ key: 'a', spec: 'x' }], dependencies: [] },
    });
  });

  test('that is only to be checked makes nothing, and exits by what was found', async () => {
    answers['POST /runs/validate'] = {
      ok: false,
      problems: [{ code: 'cycle', detail: 'a -> b -> a' }],
      task_count: 2,
      uncovered: ['a'],
    };
    expect(await baton(['run', 'do it', '--dry-run'])).toMatchObject({
      code: 6,
      out: `not valid
  cycle a -> b -> a
no worker online can take a. See \`baton worker list\`.
`,
    });
    expect(sent.map(({ to }) => to)).toEqual(['POST /runs/validate']);
  });

  test('with a path that is no repository is refused before anything is sent', async () => {
    const ran = await baton(['run', 'do it', '--repo', '.']);
    expect(ran).toMatchObject({ code: 6 });
    expect(ran.err).toContain(`error repo_not_found ${dataDir} is not a git repository.`);
    expect(sent).toEqual([]);
  });

  test('takes a mistyped verb for no goal', async () => {
    expect((await baton(['run', 'cancle'])).err).toBe(
      'error bad_request Did you mean `baton run cancel`? For a goal of one word say --goal cancle.\n',
    );
  });

  test('with --watch shows its events and exits 1 when it fails', async () => {
    const event = (type: string, task: string | null, data: object) =>
      `id: 1.5\ndata: ${JSON.stringify({ cursor: '1.5', type, task, run: 'run_1', at: before(0), data })}\n\n`;
    const failed = { ...RUN, status: 'failed', reason: 'design failed', ended_at: before(0) };
    answers['POST /runs'] = graph;
    answers['GET /runs/run_1/graph'] = graph;
    answers['GET /events?run=run_1'] =
      `event: position\ndata: {"cursor":"1.0"}\n\n` +
      event('task.started', 'task_1', { worker_name: 'forge' }) +
      event('task.failed', 'task_1', { failure_class: 'agent_error', reason: 'no\u001b[2Jluck' }) +
      event('run.failed', null, { reason: 'design failed' });
    answers['GET /runs/run_1'] = failed;
    const ran = await baton(['run', 'do it', '--watch']);
    expect(ran.code).toBe(1);
    expect(ran.out).toBe(`run_1 ${url}/runs/run_1
12:00:00 design       started on forge
12:00:00 design       failed (agent_error): noluck
12:00:00              run failed: design failed
run_1 failed: design failed (1 completed, 1 running)
why baton run view run_1   baton logs run_1/TASK
`);
  });
});

describe('what goes wrong', () => {
  test.each([
    [['task', 'view', 'task_9'], 3, 'error not_found No GET /tasks/task_9.\n'],
    [
      ['task', 'view'],
      2,
      'error bad_request `baton task view` needs <task>: id or key of a task, or RUN/KEY. See --help.\n',
    ],
    [
      ['task', 'viw'],
      2,
      "error bad_request unknown command 'viw' (Did you mean view?) See `baton --help`.\n",
    ],
    [['worker', 'list', 'x'], 2, 'error bad_request `baton worker list` does not take x.\n'],
    [
      ['task', 'list', '--limit', 'x'],
      2,
      'error bad_request --limit takes a number, at least 1 and at most 1000.\n',
    ],
    [
      ['task', 'retry', 't', '--downstream', 'x'],
      2,
      'error bad_request --downstream is one of keep, reset, not x.\n',
    ],
    [
      ['task', 'output', 'set', 'k', '--data', '{'],
      2,
      'error bad_request The data is not JSON. For plain text use --text.\n',
    ],
  ])('%j exits %i and says so', async (line, code, err) => {
    const env = line.includes('output') ? { BATON_SOCKET: '/nowhere' } : {};
    expect(await baton(line, { env })).toEqual({ code, out: '', err });
  });

  test.each([
    ['unauthenticated', 401, 4],
    ['forbidden', 403, 4],
    ['checkpoint_closed', 409, 5],
    ['cycle', 422, 6],
    ['internal', 500, 70],
    ['store_unavailable', 503, 69],
  ])('%s exits %i as %i', async (code, status, exit) => {
    answers['GET /workers'] = refusal(code, status, 'why');
    expect((await baton(['worker', 'list'])).code).toBe(exit);
  });

  test('is a problem document on standard error with --json', async () => {
    answers['GET /workers'] = { ...refusal('forbidden', 403, 'no'), facts: { scope: 'read' } };
    const { out, err } = await baton(['worker', 'list', '--json']);
    expect(out).toBe('');
    expect(JSON.parse(err)).toEqual(answers['GET /workers']);
  });

  test('is told place by place where the body was wrong', async () => {
    answers['POST /runs'] = {
      ...refusal('bad_request', 400, 'The body does not fit.'),
      violations: [{ path: 'plan.tasks.0.key', message: 'must be lower case' }],
    };
    expect((await baton(['run', 'do it'])).err).toBe(
      'error bad_request The body does not fit.\n  plan.tasks.0.key: must be lower case\n',
    );
  });

  test('outside of an attempt, what is only for agents says where it belongs', async () => {
    const ran = await baton(['task', 'done', 'x']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('is for an agent inside its attempt');
  });
});

describe('the help', () => {
  test('of a group names its verbs with what they take', async () => {
    const { out, code } = await baton(['worker', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('view <worker>');
    expect(out).toContain('--leave-running');
    expect(out).not.toContain('--parented');
  });

  test('of `task help` says which word means which way of doing it again', async () => {
    const { out } = await baton(['task', 'help']);
    for (const word of ['retry', 'relaunch', 'rerun', 'resume'])
      expect(out).toContain(`  ${word} `);
  });
});
