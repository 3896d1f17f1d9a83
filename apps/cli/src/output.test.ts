import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFakeControlPlane, type FakeControlPlane } from './testing/fake-control-plane.ts';
import { before, BUILD, DETAIL, page, QUESTION, RUN, TASK } from './testing/samples.ts';

let fake: FakeControlPlane;
beforeEach(async () => {
  fake = await openFakeControlPlane();
});
afterEach(() => fake.close());

describe('what is printed', () => {
  test('a run with its tasks, cleaned of what its agents wrote', async () => {
    fake.answers['GET /runs/run_1/graph'] = {
      run: RUN,
      tasks: [TASK, BUILD],
      dependencies: [],
      cursor: '1.9',
    };
    expect(await fake.baton(['run', 'view', 'run_1'])).toEqual({
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
    fake.answers['GET /runs'] = page([
      RUN,
      { ...RUN, id: 'run_0', needs_human: 1, status: 'waiting' },
    ]);
    fake.answers['GET /runs?limit=1'] = page([RUN]);
    fake.answers['POST /runs/run_1/cancel'] = { ...RUN, status: 'cancelling' };
    expect((await fake.baton(['run', 'list'])).out).toBe(
      `RUN    STATUS               TASKS  UPDATED  GOAL
run_1  running              1/2    5s ago   Users API
run_0  waiting (needs you)  1/2    5s ago   Users API
`,
    );
    expect((await fake.baton(['run', 'cancel', 'last', '--reason', 'enough'])).out).toBe(
      'run_1 is cancelling\n',
    );
    expect(fake.sent.at(-1)?.body).toEqual({ reason: 'enough' });
  });

  test('the inbox, with how to answer', async () => {
    fake.answers['GET /checkpoints'] = page([{ ...QUESTION, holds_up: 3 }]);
    expect((await fake.baton(['inbox'])).out).toBe(
      `question chk_1 build of run_1, opened 30s ago, holds up 3, takes JWT in 1m
  JWT or session cookies?
  JWT (default) | cookies
  baton inbox answer chk_1 JWT
`,
    );
  });

  test('why a task is where it is', async () => {
    fake.answers['GET /tasks/task_2/explain'] = {
      task: 'task_2',
      status: 'ready',
      sentence: 'It waits for a worker with the engine claude.',
      next: 'Start one, or log claude in on local.',
      waits_for: [],
      holds: [],
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
    expect((await fake.baton(['task', 'explain', 'task_2'])).out).toBe(
      `ready It waits for a worker with the engine claude.
next Start one, or log claude in on local.

WORKER  SCORE  WHY
forge   255    repo 100
local   -      no engine claude; draining
`,
    );
  });

  test('the answer itself as JSON with --json, on one line', async () => {
    fake.answers['GET /tasks/task_1'] = DETAIL;
    const { out } = await fake.baton(['task', 'view', 'task_1', '--json']);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toEqual(DETAIL);
  });

  test('resolved inputs under the name that scripts look for', async () => {
    fake.answers['GET /tasks/task_2'] = DETAIL;
    const { out } = await fake.baton(['task', 'check', '--id', 'task_2', '--json']);
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
    fake.answers['GET /tasks/task_1/attempts'] = page([{ id: 'att_1', engine: 'shell' }]);
    fake.answers['GET /tasks/task_1/logs'] = { items: [chunk], next_cursor: null, ended: true };
    fake.answers['GET /tasks/task_1/logs/stream'] =
      `data: ${JSON.stringify(chunk)}\n\nevent: end\ndata: {}\n\n`;
    expect((await fake.baton(['logs', 'task_1'])).out).toBe('ok\n');
    expect((await fake.baton(['logs', '-f', 'task_1'])).out).toBe('ok\n');
    expect((await fake.baton(['task', 'logs', 'task_1', '--raw'])).out).toBe(data);
  });

  test('what an agent says and does, in place of the protocol that it prints', async () => {
    const of = (stream: string, value: object) => ({
      attempt: 'att_1',
      stream,
      offset: 0,
      data: `${JSON.stringify(value)}\n`,
      encoding: 'utf8',
      at: before(1),
    });
    fake.answers['GET /tasks/task_1/attempts'] = page([{ id: 'att_1', engine: 'claude' }]);
    const items = [
      of('stdout', { type: 'assistant' }),
      of('agent', { type: 'message', text: 'hi' }),
    ];
    fake.answers['GET /tasks/task_1/logs'] = { items, next_cursor: null, ended: true };
    fake.answers['GET /tasks/task_1/logs?stream=stdout'] = {
      ...page(items.slice(0, 1)),
      ended: true,
    };
    expect((await fake.baton(['logs', 'task_1'])).out).toBe('hi\n');
    expect((await fake.baton(['logs', 'task_1', '--stream', 'stdout'])).out).toBe(
      '{"type":"assistant"}\n',
    );
  });

  test('a patch as it is where nobody looks on', async () => {
    fake.answers['GET /tasks/task_1/diff'] = '--- a\n+++ b\n@@ -1 +1 @@\n-x\n+\u001by\n';
    expect((await fake.baton(['task', 'diff', 'task_1'])).out).toBe(
      fake.answers['GET /tasks/task_1/diff'],
    );
  });
});

describe('naming a task', () => {
  test('works by key where only one task has it', async () => {
    fake.answers['GET /tasks?text=build&limit=200'] = page([BUILD, { ...TASK, key: 'rebuild' }]);
    fake.answers['POST /tasks/task_2/approve'] = { ...BUILD, status: 'ready' };
    expect(await fake.baton(['task', 'approve', 'build'])).toEqual({
      code: 0,
      out: 'build approved, now ready\n',
      err: '',
    });
  });

  test('asks which one where several have it', async () => {
    fake.answers['GET /tasks?text=build&limit=200'] = page([
      BUILD,
      { ...BUILD, id: 'task_9', run: 'run_0' },
    ]);
    expect(await fake.baton(['task', 'approve', 'build'])).toEqual({
      code: 5,
      out: '',
      err: 'error ambiguous 2 tasks have the key build. Say which: run_1/build, run_0/build.\n',
    });
  });

  test('works by RUN/KEY', async () => {
    fake.answers['GET /runs/run_1/graph'] = {
      run: RUN,
      tasks: [TASK, BUILD],
      dependencies: [],
      cursor: '1.9',
    };
    fake.answers['POST /tasks/task_2/cancel'] = { ...BUILD, status: 'cancelled' };
    expect((await fake.baton(['task', 'cancel', 'run_1/build'])).out).toBe('build is cancelled\n');
    const missing = await fake.baton(['task', 'cancel', 'run_1/nope']);
    expect(missing).toMatchObject({
      code: 3,
      err: 'error not_found Run run_1 has no task nope; it has design, build.\n',
    });
  });
});
