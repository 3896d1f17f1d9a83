import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, Stage, waitFor } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

/** Asks, and is told to end its turn. */
async function asks(attempt: string, resume: 'held' | 'new_attempt') {
  const { plane } = stage;
  await plane.until(() => plane.log(attempt, 'stdout').length > 0, 'the agent');
  const body = { question: 'Which?', options: ['a', 'b'], resume };
  const answer = await stage.ask(attempt, 'POST', '/requests', { kind: 'checkpoint', body });
  expect(answer).toMatchObject({ status: 200, body: { yield: true, resume } });
}

const works = (): string => `echo half > work.txt; echo up; ${waitFor(stage.path('go'))}`;

describe('an agent that is told to end its turn', () => {
  test('ends it by itself; its end is told, and no result is made of it', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await asks(attempt.id, 'new_attempt');
    stage.touch('go');
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'cancelled', exit_code: 0 });
    expect(plane.told('complete', attempt.id)).toEqual([]);
  });

  test('is ended when it does not', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    const how = { reason: 'paused', grace_seconds: 5, yields: true };
    plane.send({ type: 'cancel', attempt: attempt.id, epoch: 7, ...how });
    // The word of a beat in between does not make a cancellation of it.
    plane.send({ type: 'cancel', attempt: attempt.id, epoch: 7, ...how, yields: false });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'cancelled', reason: 'paused' });
  });

  test('leaves its work with the control plane, for a worker on another machine', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const workspace = { repo: stage.repo() };
    const { attempt } = plane.assign({ spec: works(), workspace });
    await asks(attempt.id, 'new_attempt');
    stage.touch('go');
    await plane.untilTold('fail', attempt.id);
    await first.stop();
    const [left] = plane.artifacts.filter((it) => it.attempt === attempt.id);
    expect(left).toMatchObject({ kind: 'bundle', name: 'main.saved.bundle' });
    const next = plane.assign(
      { spec: 'cat work.txt; git status --porcelain', workspace },
      {
        continue: {
          attempt: attempt.id,
          worker: 'wrk_test',
          conversation: null,
          wake: { kind: 'resume' },
        },
        saved: { attempt: attempt.id, artifact: left?.id ?? '', meta: left?.meta ?? {} },
      },
    );
    await stage.worker({ dataDir: stage.path('elsewhere'), name: 'w2' });
    await plane.untilTold('complete', next.attempt.id);
    expect(plane.log(next.attempt.id, 'stdout').toString()).toBe('half\n?? work.txt\n');
  });

  test('goes on in its directory, under the next attempt', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await asks(attempt.id, 'new_attempt');
    stage.touch('go');
    await plane.untilTold('fail', attempt.id);
    const wake = { kind: 'answer', answer: 'b' };
    const next = plane.assign(
      { spec: 'cat work.txt; cat "$BATON_WAKE"' },
      { continue: { attempt: attempt.id, worker: 'wrk_test', conversation: null, wake } },
    );
    await plane.untilTold('complete', next.attempt.id);
    const out = plane.log(next.attempt.id, 'stdout').toString();
    expect(out).toMatch(/^half\n/);
    expect(JSON.parse(out.slice(out.indexOf('{')))).toEqual(wake);
  });
});

describe('a held attempt', () => {
  test('is one also when only a beat says so', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    const told = { attempt: attempt.id, epoch: 7, reason: 'question' };
    plane.send({ type: 'hold', ...told });
    stage.touch('go');
    await stage.untilFile(stage.paths(attempt.id).exit);
    plane.send({ type: 'hold', ...told });
    const held = join(stage.attemptDir(attempt.id), 'held.json');
    await stage.untilFile(held);
    expect(worker.live).toBe(1);
    // What is told after it is told when all that came before was dealt with.
    const how = { reason: 'not needed', grace_seconds: 1, yields: false };
    plane.send({ type: 'cancel', attempt: attempt.id, epoch: 7, ...how });
    await plane.untilTold('fail', attempt.id);
    expect(plane.told('complete', attempt.id)).toEqual([]);
  });

  test('has no process and tells nothing; it outlives a graceful stop and is gone on with', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await asks(attempt.id, 'held');
    stage.touch('go');
    await stage.untilFile(stage.paths(attempt.id).exit);
    await first.stop({ graceMs: 1_000 });
    for (const end of ['complete', 'fail', 'release'] as const) {
      expect(plane.told(end, attempt.id)).toEqual([]);
    }
    const second = await stage.worker();
    await eventually(() => second.live === 1, 'the attempt to be taken up', 60_000);
    const next = plane.assign(
      { spec: 'cat work.txt' },
      {
        continue: {
          attempt: attempt.id,
          worker: 'wrk_test',
          conversation: null,
          wake: { kind: 'answer', answer: 'a' },
        },
      },
    );
    await plane.untilTold('complete', next.attempt.id);
    expect(plane.log(next.attempt.id, 'stdout').toString()).toBe('half\n');
    await eventually(() => second.live === 0, 'the held one to be let go of', 60_000);
    expect(existsSync(join(stage.attemptDir(attempt.id), 'done.json'))).toBe(true);
    for (const end of ['complete', 'fail', 'release'] as const) {
      expect(plane.told(end, attempt.id)).toEqual([]);
    }
  });

  test('is ended by a cancellation, which it tells', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: works() });
    await asks(attempt.id, 'held');
    stage.touch('go');
    await stage.untilFile(stage.paths(attempt.id).exit);
    const how = { reason: 'not needed', grace_seconds: 1, yields: false };
    plane.send({ type: 'cancel', attempt: attempt.id, epoch: 7, ...how });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'cancelled', reason: 'not needed' });
  });
});

test('what changed about a task lies in its directory, and the agent is told', async () => {
  const { plane } = stage;
  await stage.worker();
  const spec = `echo up; ${waitFor(stage.path('go'))}; cat .baton/updates/1.json .baton/notes.jsonl`;
  const { attempt, task } = plane.assign({ spec });
  await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
  plane.change(attempt.id, { ...task, title: 'Another title' });
  plane.send({ type: 'task_updated', attempt: attempt.id, fields: ['title'] });
  const dir = join(stage.dataDir, 'workspaces', attempt.id, 'scratch', '.baton');
  await stage.untilFile(join(dir, 'notes.jsonl'));
  writeFileSync(stage.path('go'), '');
  await plane.untilTold('complete', attempt.id);
  const out = plane.log(attempt.id, 'stdout').toString();
  expect(out).toContain('"title": "Another title"');
  expect(out).toContain('The task was changed (title)');
});
