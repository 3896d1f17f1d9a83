import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  openFakeControlPlane,
  refusal,
  type FakeControlPlane,
} from './testing/fake-control-plane.ts';
import { before, QUESTION, RUN, TASK } from './testing/samples.ts';

let fake: FakeControlPlane;
beforeEach(async () => {
  fake = await openFakeControlPlane();
});
afterEach(() => fake.close());

describe('answering', () => {
  beforeEach(() => {
    fake.answers['GET /checkpoints/chk_1'] = QUESTION;
    fake.answers['POST /checkpoints/chk_1/resolve'] = {
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
    const ran = await fake.baton(['inbox', 'answer', 'chk_1', ...words]);
    expect(ran).toMatchObject({ code: 0, out: 'chk_1 decided: JWT by owner via cli\n' });
    expect(fake.sent.at(-1)?.body).toEqual(body);
  });

  test('says what can be answered where nothing was', async () => {
    expect(await fake.baton(['inbox', 'answer', 'chk_1'])).toEqual({
      code: 2,
      out: '',
      err: 'error bad_request Say the answer, or --default. One of: JWT, cookies.\n',
    });
  });
});

describe('starting a run', () => {
  const graph = { run: RUN, tasks: [TASK], dependencies: [], cursor: '1.0' };

  test('of a goal is one task of the engine and repository named', async () => {
    fake.answers['POST /runs'] = graph;
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
    const ran = await fake.baton(line);
    expect(ran).toMatchObject({
      code: 0,
      out: `run_1 running, one task\nlook baton run view run_1   ${fake.url}/runs/run_1\n`,
    });
    expect(fake.sent.at(-1)?.body).toEqual({
      goal: 'fix the tests',
      plan: 'none',
      task: { needs: { engine: 'claude' }, workspace: { repo: 'gateway' } },
      deliver: 'merge',
    });
  });

  test('of a plan sends what the file says', async () => {
    fake.answers['POST /runs'] = graph;
    const file = join(fake.dir, 'baton.yaml');
    writeFileSync(file, 'goal: g ${{ n }}\nparameters: { n: }\ntasks: { a: { spec: x } }\n');
    expect((await fake.baton(['run', '--plan', 'baton.yaml', '--param', 'n=7'])).code).toBe(0);
    expect(fake.sent.at(-1)?.body).toEqual({
      goal: 'g 7',
      plan: { tasks: [{ key: 'a', spec: 'x' }], dependencies: [] },
    });
  });

  test('that is only to be checked makes nothing, and exits by what was found', async () => {
    fake.answers['POST /runs/validate'] = {
      ok: false,
      problems: [{ code: 'cycle', detail: 'a -> b -> a' }],
      task_count: 2,
      uncovered: ['a'],
    };
    expect(await fake.baton(['run', 'do it', '--dry-run'])).toMatchObject({
      code: 6,
      out: `not valid
  cycle a -> b -> a
no worker online can take a. \`baton doctor\` says which agents are missing here, \`baton task explain\` what a task needs.
`,
    });
    expect(fake.sent.map(({ to }) => to)).toEqual(['POST /runs/validate']);
  });

  test('says at once that nobody can take it', async () => {
    fake.answers['POST /runs'] = graph;
    fake.answers['POST /runs/validate'] = {
      ok: true,
      problems: [],
      task_count: 1,
      uncovered: ['main'],
    };
    const ran = await fake.baton(['run', 'do it']);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('\nno worker online can take main. `baton doctor` says');
  });

  test('with a path that is no repository is refused before anything is sent', async () => {
    const ran = await fake.baton(['run', 'do it', '--repo', '.']);
    expect(ran).toMatchObject({ code: 6 });
    expect(ran.err).toContain(`error repo_not_found ${fake.dir} is not a git repository.`);
    expect(fake.sent).toEqual([]);
  });

  test('takes a mistyped verb for no goal', async () => {
    expect((await fake.baton(['run', 'cancle'])).err).toBe(
      'error bad_request Did you mean `baton run cancel`? For a goal of one word say --goal cancle.\n',
    );
  });

  test('with --watch shows its events and exits 1 when it fails', async () => {
    const event = (type: string, task: string | null, data: object) =>
      `id: 1.5\ndata: ${JSON.stringify({ cursor: '1.5', type, task, run: 'run_1', at: before(0), data })}\n\n`;
    const failed = { ...RUN, status: 'failed', reason: 'design failed', ended_at: before(0) };
    fake.answers['POST /runs'] = graph;
    fake.answers['GET /runs/run_1/graph'] = graph;
    fake.answers['GET /events?run=run_1'] =
      `event: position\ndata: {"cursor":"1.0"}\n\n` +
      event('task.started', 'task_1', { worker_name: 'forge' }) +
      event('task.failed', 'task_1', { failure_class: 'agent_error', reason: 'no\u001b[2Jluck' }) +
      event('run.failed', null, { reason: 'design failed' });
    fake.answers['GET /runs/run_1'] = failed;
    const ran = await fake.baton(['run', 'do it', '--watch']);
    expect(ran.code).toBe(1);
    expect(ran.out).toBe(`run_1 ${fake.url}/runs/run_1
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
    expect(await fake.baton(line, env)).toEqual({ code, out: '', err });
  });

  test.each([
    ['unauthenticated', 401, 4],
    ['forbidden', 403, 4],
    ['checkpoint_closed', 409, 5],
    ['cycle', 422, 6],
    ['internal', 500, 70],
    ['store_unavailable', 503, 69],
  ])('%s exits %i as %i', async (code, status, exit) => {
    fake.answers['GET /workers'] = refusal(code, status, 'why');
    expect((await fake.baton(['worker', 'list'])).code).toBe(exit);
  });

  test('is a problem document on standard error with --json', async () => {
    fake.answers['GET /workers'] = { ...refusal('forbidden', 403, 'no'), facts: { scope: 'read' } };
    const { out, err } = await fake.baton(['worker', 'list', '--json']);
    expect(out).toBe('');
    expect(JSON.parse(err)).toEqual(fake.answers['GET /workers']);
  });

  test('is told place by place where the body was wrong', async () => {
    fake.answers['POST /runs'] = {
      ...refusal('bad_request', 400, 'The body does not fit.'),
      violations: [{ path: 'plan.tasks.0.key', message: 'must be lower case' }],
    };
    expect((await fake.baton(['run', 'do it'])).err).toBe(
      'error bad_request The body does not fit.\n  plan.tasks.0.key: must be lower case\n',
    );
  });

  test('outside of an attempt, what is only for agents says where it belongs', async () => {
    const ran = await fake.baton(['task', 'done', 'x']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('is for an agent inside its attempt');
  });
});

describe('the help', () => {
  test('of a group names its verbs with what they take', async () => {
    const { out, code } = await fake.baton(['worker', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('view <worker>');
    expect(out).toContain('--leave-running');
    expect(out).not.toContain('--parented');
  });

  test('of `task help` says which word means which way of doing it again', async () => {
    const { out } = await fake.baton(['task', 'help']);
    for (const word of ['retry', 'relaunch', 'rerun', 'resume'])
      expect(out).toContain(`  ${word} `);
  });
});

describe('a new user', () => {
  test('gets the help of a verb from help', async () => {
    const ran = await fake.baton(['help', 'task', 'explain']);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.out).toContain('Usage: baton task explain <task>');
  });

  test('asks for the version as a word', async () => {
    expect(await fake.baton(['version'])).toMatchObject({ code: 0, out: '0.0.0-test\n' });
  });

  test('is told where a flag of all commands stands', async () => {
    expect((await fake.baton(['--api-key', 'bat_x', 'ps'])).err).toBe(
      "error bad_request unknown option '--api-key'. Say --api-key after the command.\n",
    );
  });

  test.each(['run', 'task'])('%s list refuses a status that is none', async (group) => {
    const ran = await fake.baton([group, 'list', '--status', 'running,bogus']);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/--status is one of .*running.*, not bogus\./);
    expect(fake.sent).toEqual([]);
  });

  test('means the task of the newest run by last', async () => {
    fake.answers['GET /runs?limit=1'] = { items: [RUN], next_cursor: null };
    const graph = { run: RUN, tasks: [TASK], dependencies: [], cursor: '1.0' };
    fake.answers['GET /runs/run_1/graph'] = graph;
    await fake.baton(['task', 'explain', 'last']);
    expect(fake.sent.at(-1)?.to).toBe('GET /tasks/task_1/explain');
    fake.answers['GET /runs/run_1/graph'] = {
      ...graph,
      tasks: [TASK, { ...TASK, id: 'task_2', key: 'build' }],
    };
    expect((await fake.baton(['task', 'explain', 'last'])).err).toBe(
      'error ambiguous Run last has several tasks. Say which: last/design, last/build.\n',
    );
  });

  test('hears that a token of this machine alone is of no use elsewhere', async () => {
    fake.answers['POST /worker-tokens'] = {
      id: 'jt_1',
      token: 'batj_x',
      expires_at: before(0),
      install: 'baton worker --token batj_x',
    };
    const ran = await fake.baton(['worker', 'token']);
    expect(ran.out).toContain(`only this machine reaches ${fake.url}.`);
  });
});
