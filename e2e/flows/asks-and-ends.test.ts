import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRunning, textOf, untilPid } from '../support/processes.ts';
import { runBaton } from '../support/process.ts';
import { byKey, eventsOf, stdoutOf, taskOf, untilEnded } from '../support/run.ts';
import { startFleetWorker, startTower, tempDir, until, type Tower } from '../support/tower.ts';

/** A command that asks once, and goes on by `.baton/wake.json` when it is started again. */
const asksOnce = (flag: string, pidFile: string): string =>
  [
    'if [ -e "$BATON_WAKE" ]; then',
    '  echo "kept: $(cat work.txt)";',
    '  node -e \'const w = JSON.parse(require("fs").readFileSync(process.env.BATON_WAKE)); console.log("told: " + w.kind + " " + w.answer)\';',
    'else',
    `  echo $$ > ${pidFile};`,
    '  echo half > work.txt;',
    `  baton task ask "JWT or cookies?" --option jwt --option cookies ${flag};`,
    'fi',
  ].join('\n');

async function submit(tower: Tower, key: string, spec: string, more: object = {}) {
  const { run } = await tower.client.call('createRun', {
    body: { goal: key, plan: { tasks: [{ key, kind: 'command', spec, ...more }] } },
  });
  return run.id;
}

async function untilAsked(tower: Tower, runId: string) {
  let id = '';
  await until('the question is in the inbox', async () => {
    const { items } = await tower.client.call('listCheckpoints', { query: { run: runId } });
    id = items[0]?.id ?? '';
    return id !== '';
  });
  return tower.client.call('getCheckpoint', { params: { id } });
}

async function attemptsOf(tower: Tower, task: string) {
  const { items } = await tower.client.call('listAttempts', { params: { id: task } });
  return items.toReversed();
}

const person = (tower: Tower) => ({ BATON_URL: tower.url, BATON_API_KEY: tower.apiKey });

test('an agent asks and ends; the answer comes later, and the next attempt goes on with it', async () => {
  const pidFile = join(tempDir('pid'), 'pid');
  const tower = await startTower();
  await startFleetWorker(tower, 'dev', ['--slots', '1']);
  const runId = await submit(tower, 'auth', asksOnce('--end-turn', pidFile));
  const asked = await untilAsked(tower, runId);
  expect(asked).toMatchObject({ resume: 'new_attempt', status: 'open' });
  const pid = await untilPid(pidFile);
  await until('the process of the agent has ended', () => !isRunning(pid));
  const task = taskOf(byKey(await graphOf(tower, runId)), 'auth');
  await until('its attempt is released', async () => {
    return (await attemptsOf(tower, task.id))[0]?.status === 'released';
  });
  expect((await graphOf(tower, runId)).tasks[0]).toMatchObject({
    status: 'waiting',
    reason: 'question',
  });
  // The slot is free meanwhile.
  const other = await submit(tower, 'other', 'echo other');
  expect((await untilEnded(tower, other)).graph.run.status).toBe('completed');

  const answered = await runBaton(['inbox', 'answer', asked.id, 'jwt', '--json'], person(tower));
  expect(answered.code).toBe(0);
  const { graph } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  expect(await stdoutOf(tower, task.id)).toBe('kept: half\ntold: answer jwt\n');
  const attempts = await attemptsOf(tower, task.id);
  expect(attempts.map((it) => [it.number, it.status])).toEqual([
    [1, 'released'],
    [2, 'succeeded'],
  ]);
  // It is one attempt of the task, in two pieces.
  expect(graph.tasks[0]?.attempt_count).toBe(1);
  const types = (await eventsOf(tower, runId)).map((event) => event.type);
  expect(types).not.toContain('attempt.lost');
  expect(types).not.toContain('task.retrying');
});

test('a held attempt survives kill -9 of its worker daemon and takes no slot', async () => {
  const pidFile = join(tempDir('pid'), 'pid');
  const tower = await startTower();
  const labels = ['--slots', '1', '--labels', 'home=yes'];
  const worker = await startFleetWorker(tower, 'dev', labels);
  const runId = await submit(tower, 'auth', asksOnce('--hold', pidFile), {
    needs: { selector: [{ key: 'home', op: '=', values: ['yes'] }] },
  });
  const asked = await untilAsked(tower, runId);
  const [first] = (await graphOf(tower, runId)).tasks;
  if (first === undefined) throw new Error('no task');
  const home = first.worker_name ?? '';
  expect(home).toBe('dev');
  const pid = await untilPid(pidFile);
  await until('the process of the agent has ended', () => !isRunning(pid));
  const [held] = await attemptsOf(tower, first.id);
  expect(held?.status).toBe('parked');
  // Idle and fit: what is held for the other worker is not for it.
  await startFleetWorker(tower, 'idle', labels);
  await worker.kill();
  await worker.restart();
  await until('the worker is back', async () => {
    const { items } = await tower.client.call('listWorkers', {});
    return items.some((it) => it.name === 'dev' && it.status === 'online');
  });
  const other = await submit(tower, 'other', 'echo other', { needs: { worker: home } });
  expect((await untilEnded(tower, other)).graph.run.status).toBe('completed');
  expect((await attemptsOf(tower, first.id))[0]?.status).toBe('parked');

  await tower.client.call('resolveCheckpoint', {
    params: { id: asked.id },
    body: { option: 'cookies' },
  });
  const { graph } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  expect(await stdoutOf(tower, first.id)).toBe('kept: half\ntold: answer cookies\n');
  const attempts = await attemptsOf(tower, first.id);
  expect(attempts.map((it) => [it.status, it.worker_name])).toEqual([
    ['released', home],
    ['succeeded', home],
  ]);
  const types = (await eventsOf(tower, runId)).map((event) => event.type);
  expect(types).not.toContain('attempt.lost');
});

test('a plan is sent back with feedback and approved; the same agent goes on each time', async () => {
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const spec = [
    'baton task plan "all at once" --wait > first.txt;',
    'echo "code $? $(cat first.txt)";',
    'baton task plan "1. schema 2. handlers" --wait;',
    'echo "pid $$"',
  ].join(' ');
  const runId = await submit(tower, 'build', spec, { approval: { plan: true } });
  const first = await untilAsked(tower, runId);
  expect(first).toMatchObject({ kind: 'plan_approval', context: { plan: 'all at once' } });
  const [task] = (await graphOf(tower, runId)).tasks;
  if (task === undefined) throw new Error('no task');
  const revised = await runBaton(
    ['task', 'answer', task.id, 'smaller steps', '--json'],
    person(tower),
  );
  expect(revised).toMatchObject({ code: 0 });
  await until('the second plan is there', async () => {
    const { plan } = await tower.client.call('getTask', { params: { id: task.id } });
    return plan?.revision === 2;
  });
  const approved = await runBaton(['task', 'approve', task.id, '--json'], person(tower));
  expect(approved).toMatchObject({ code: 0 });
  const { graph } = await untilEnded(tower, runId);
  expect(graph.run.status).toBe('completed');
  expect(await stdoutOf(tower, task.id)).toMatch(/^code 1 smaller steps\napprove\npid \d+\n$/);
  const detail = await tower.client.call('getTask', { params: { id: task.id } });
  expect(detail.plan).toMatchObject({
    state: 'approved',
    revision: 2,
    text: '1. schema 2. handlers',
  });
  expect(await attemptsOf(tower, task.id)).toHaveLength(1);
  const types = (await eventsOf(tower, runId)).map((event) => event.type);
  const told = types.filter((type) => type.startsWith('task.plan'));
  expect(told).toEqual([
    'task.planning',
    'task.plan_submitted',
    'task.plan_revised',
    'task.plan_submitted',
    'task.plan_approved',
  ]);
});

test('changes and messages reach a live agent as files', async () => {
  const dir = tempDir('go');
  const tower = await startTower();
  await startFleetWorker(tower, 'dev');
  const spec = `echo "$BATON_WORKSPACE" > ${dir}/up.part; mv ${dir}/up.part ${dir}/up; while [ ! -e ${dir}/go ]; do sleep 0.05; done; cat .baton/updates/1.json .baton/notes.jsonl`;
  const runId = await submit(tower, 'build', spec);
  await until('the agent runs', () => existsSync(join(dir, 'up')));
  const [task] = (await graphOf(tower, runId)).tasks;
  if (task === undefined) throw new Error('no task');
  const cli = (...args: string[]) => runBaton(['task', ...args, '--json'], person(tower));
  expect(await cli('update', task.id, '--priority', 'high', '--title', 'Build it')).toMatchObject({
    code: 0,
  });
  const sent = await cli('message', task.id, 'mind the tests');
  expect(JSON.parse(sent.stdout)).toMatchObject({ delivered: true, text: 'mind the tests' });
  const own = join(readFileSync(join(dir, 'up'), 'utf8').trim(), '.baton');
  await until('both are in its directory', () => {
    const notes = textOf(join(own, 'notes.jsonl'));
    const wanted = ['mind the tests', 'The task was changed'];
    const isUpdated = textOf(join(own, 'updates', '1.json')).includes('"title": "Build it"');
    return isUpdated && wanted.every((it) => notes.includes(it));
  });
  writeFileSync(join(dir, 'go'), '');
  await untilEnded(tower, runId);
  const out = await stdoutOf(tower, task.id);
  expect(out).toContain('"title": "Build it"');
  expect(out).toContain('mind the tests');
  expect(out).toContain('The task was changed (title, priority)');
});

async function graphOf(tower: Tower, runId: string) {
  return tower.client.call('getRunGraph', { params: { id: runId } });
}
