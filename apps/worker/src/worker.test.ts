import type { Json } from '@baton/contract';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findTree, isProcessAlive } from './supervisor/process-tree.ts';
import { findState } from './supervisor/records.ts';
import { staleEpoch } from './testing/fake-control-plane.ts';
import { eventually, Stage, waitFor, waitForText } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

function supervisorOf(attempt: string): number {
  const pid = findState(stage.attemptDir(attempt))?.supervisor_pid;
  if (pid === undefined) throw new Error(`${attempt} has no supervisor`);
  return pid;
}

describe('an attempt', () => {
  test('runs, ships what it says, and is reported once', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    expect(await plane.until(() => plane.told('slots')[0], 'slots')).toMatchObject({ free: 4 });
    const it = plane.assign({ spec: 'echo out; echo err >&2' });
    const { id } = it.attempt;
    const { body } = await plane.untilTold('complete', id);
    expect(body).toMatchObject({ epoch: 7, exit_code: 0, result: { status: 'success' } });
    expect(plane.log(id, 'stdout').toString()).toBe('out\n');
    expect(plane.log(id, 'stderr').toString()).toBe('err\n');
    expect(plane.log(id, 'agent').toString()).toContain('"type":"outcome"');
    // The same once more: it is over.
    plane.send({ type: 'assign', assignment: it });
    await eventually(() => worker.live === 0, 'the end of the attempt');
    expect(plane.told('started', id)).toHaveLength(1);
    expect(plane.told('complete', id)).toHaveLength(1);
  });

  test('delivered again while it runs, is not started again', async () => {
    const { plane } = stage;
    await stage.worker();
    const it = plane.assign({ spec: `echo ran; ${waitFor(stage.path('go'))}` });
    await plane.untilTold('started', it.attempt.id);
    plane.send({ type: 'assign', assignment: it });
    plane.cut();
    await plane.until(() => plane.connections === 2, 'another connection');
    expect(plane.told('hello').at(-1)?.attempts).toMatchObject([
      { id: it.attempt.id, ended: false },
    ]);
    plane.send({ type: 'assign', assignment: it });
    stage.touch('go');
    await plane.untilTold('complete', it.attempt.id);
    expect(plane.log(it.attempt.id, 'stdout').toString()).toBe('ran\n');
  });

  test('goes on while the control plane is away, and is told when it is back', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    const it = plane.assign({ spec: `echo a; ${waitFor(stage.path('go'))}; echo b` });
    const { id } = it.attempt;
    await plane.untilTold('started', id);
    plane.isDown = true;
    plane.cut();
    stage.touch('go');
    await stage.untilFile(join(stage.attemptDir(id), 'report.json'));
    expect(worker.live).toBe(1);
    plane.isDown = false;
    await plane.untilTold('complete', id);
    expect(plane.log(id, 'stdout').toString()).toBe('a\nb\n');
    expect(plane.told('hello').at(-1)?.attempts).toMatchObject([{ id, ended: true }]);
  });

  test('whose command fails is reported with its class and last words', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: 'echo no such luck >&2; exit 3' });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'agent_error', exit_code: 3 });
    expect(body.reason).toContain('no such luck');
  });

  test('whose workspace cannot be made is reported as such', async () => {
    const { plane } = stage;
    await stage.worker();
    const spec = { spec: 'true', workspace: { setup: 'echo broken setup; exit 9' } };
    const { attempt } = plane.assign(spec);
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'workspace' });
    expect(body.reason).toContain('broken setup');
    const other = plane.assign({ spec: 'x', needs: { engine: 'nosuch' } });
    expect((await plane.untilTold('fail', other.attempt.id)).body.failure_class).toBe(
      'environment',
    );
  });

  test('is never reported twice to a control plane that refuses it', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    plane.answer = (frame) =>
      frame.type === 'complete'
        ? { error: { code: 'bad_request', detail: 'no', retry: false, facts: {} } }
        : undefined;
    const { attempt } = plane.assign({ spec: 'true' });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'internal' });
    await eventually(() => worker.live === 0, 'the end of the attempt');
    expect(plane.told('complete', attempt.id)).toHaveLength(1);
  });
});

describe('what ends an agent', () => {
  test('a cancellation ends its whole tree and says why', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: `(setsid sleep 300 &); echo up; sleep 300` });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    expect(findTree({ attemptId: attempt.id }).length).toBeGreaterThan(1);
    plane.send({
      type: 'cancel',
      attempt: attempt.id,
      epoch: 7,
      reason: 'not needed',
      grace_seconds: 1,
      yields: false,
    });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'cancelled', reason: 'not needed' });
    expect(findTree({ attemptId: attempt.id })).toEqual([]);
  });

  test('a cancellation while its workspace is made keeps it from being started', async () => {
    const { plane } = stage;
    await stage.worker();
    const up = stage.path('up');
    const setup = `touch '${up}'; sleep 300`;
    const { attempt } = plane.assign({
      spec: `touch '${stage.path('ran')}'`,
      workspace: { setup },
    });
    await stage.untilFile(up);
    plane.send({
      type: 'cancel',
      attempt: attempt.id,
      epoch: 7,
      reason: 'too late',
      grace_seconds: 1,
      yields: false,
    });
    const { body } = await plane.untilTold('fail', attempt.id);
    expect(body).toMatchObject({ failure_class: 'cancelled', reason: 'too late' });
    expect(existsSync(stage.path('ran'))).toBe(false);
    expect(findTree({ attemptId: `${attempt.id}.setup` })).toEqual([]);
  });

  test('a cancellation of what never came here is answered at once', async () => {
    const { plane } = stage;
    await stage.worker();
    const reason = 'not needed';
    plane.send({
      type: 'cancel',
      attempt: 'att_other',
      epoch: 3,
      reason,
      grace_seconds: 1,
      yields: false,
    });
    const { body } = await plane.untilTold('fail', 'att_other');
    expect(body).toMatchObject({ epoch: 3, failure_class: 'cancelled', reason });
  });

  for (const [how, news] of [
    ['a refused start', 'started'],
    ['the word that it is stale', 'stale'],
  ] as const) {
    test(`${how} ends it whether it wants or not, tells nothing more, and keeps its workspace`, async () => {
      const { plane } = stage;
      const worker = await stage.worker();
      plane.answer = (frame) =>
        frame.type === 'started' && news === 'started' ? { error: staleEpoch } : undefined;
      const deaf = `trap '' TERM; echo kept > mine.txt; touch '${stage.path('up')}'; while :; do sleep 1; done`;
      const { attempt } = plane.assign({ spec: deaf });
      await stage.untilFile(stage.path('up'));
      const pid = findState(stage.attemptDir(attempt.id))?.pid ?? -1;
      if (news === 'stale') plane.send({ type: 'stale', attempts: [attempt.id] });
      await eventually(() => !isProcessAlive({ pid, born: '' }), 'the end of the agent');
      await eventually(() => worker.live === 0, 'the end of the attempt');
      expect([...plane.told('complete'), ...plane.told('fail')]).toEqual([]);
      const kept = join(stage.dataDir, 'workspaces', attempt.id, 'scratch', 'mine.txt');
      expect(readFileSync(kept, 'utf8')).toBe('kept\n');
    });
  }

  test('a machine that ends supervisors cancels no task', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    process.kill(supervisorOf(attempt.id), 'SIGTERM');
    expect((await plane.untilTold('fail', attempt.id)).body.failure_class).toBe('lost');
  });

  test('a killed supervisor loses the attempt and leaves nothing running', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: 'echo said; sleep 300' });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    process.kill(supervisorOf(attempt.id), 'SIGKILL');
    expect((await plane.untilTold('fail', attempt.id)).body.failure_class).toBe('lost');
    expect(findTree({ attemptId: attempt.id })).toEqual([]);
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('said\n');
  });
});

describe('what an agent asks for', () => {
  const held = (): string => `echo up; ${waitFor(stage.path('go'))}`;

  test('is carried to the control plane and answered', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: held(), outputs: [{ key: 'api' }] });
    const { id } = attempt;
    await plane.until(() => plane.log(id, 'stdout').length > 0, 'the agent');
    expect(await stage.ask(id, 'GET', '/task')).toMatchObject({ body: { task: { key: 'main' } } });
    const asked = { kind: 'output', body: { key: 'api', data: { a: 1 } } };
    expect((await stage.ask(id, 'POST', '/requests', asked)).status).toBe(200);
    const artifact = { kind: 'artifact', body: { path: 'a.txt' } };
    expect((await stage.ask(id, 'POST', '/requests', artifact)).body['code']).toBe('not_found');
    const wrong = { kind: 'note', body: { words: 1 } };
    expect((await stage.ask(id, 'POST', '/requests', wrong)).status).toBe(400);
    const large = { kind: 'output', body: { key: 'api', data: 'x'.repeat(300_000) } };
    expect(await stage.ask(id, 'POST', '/requests', large)).toMatchObject({
      status: 422,
      body: { code: 'limit_exceeded' },
    });
    const done = { kind: 'complete', body: { result: { status: 'partial', summary: 'half' } } };
    expect((await stage.ask(id, 'POST', '/requests', done)).body['status']).toBe('handed_in');
    stage.touch('go');
    const { body } = await plane.untilTold('complete', id);
    expect(body.result).toMatchObject({ status: 'partial', summary: 'half' });
    expect(plane.told('output', id)[0]?.body).toEqual({ epoch: 7, key: 'api', data: { a: 1 } });
  });

  test('a question decided while the link was down reaches its agent after the reconnect', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: held() });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    const question = { question: 'Which?', options: ['a', 'b'] };
    const answer = stage.ask(attempt.id, 'POST', '/requests', {
      id: 'q1',
      kind: 'checkpoint',
      body: question,
    });
    const { id } = await plane.until(() => [...plane.checkpoints.values()][0], 'the question');
    plane.isDown = true;
    plane.cut();
    await plane.until(() => !plane.isConnected, 'the cut');
    plane.resolve(id, 'b');
    plane.isDown = false;
    expect(await answer).toMatchObject({
      status: 200,
      body: { status: 'resolved', resolution: { option: 'b' } },
    });
    expect(new Set(plane.told('checkpoint_open').map((it) => it.body.client_id))).toEqual(
      new Set(['q1']),
    );
    stage.touch('go');
    await plane.untilTold('complete', attempt.id);
  });

  test('a decision that overtakes the answer to its question is not lost', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: held() });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    plane.answer = (frame) => (frame.type === 'checkpoint_open' ? 'silence' : undefined);
    const body = { question: 'Which?', options: ['a', 'b'] };
    const answer = stage.ask(attempt.id, 'POST', '/requests', {
      id: 'q1',
      kind: 'checkpoint',
      body,
    });
    const asked = await plane.untilTold('checkpoint_open', attempt.id);
    const open = plane.open(asked);
    plane.resolve(open.id, 'a');
    plane.send({ type: 'ack', seq: asked.seq, error: null, body: open as unknown as Json });
    expect(await answer).toMatchObject({ body: { status: 'resolved' } });
    stage.touch('go');
    await plane.untilTold('complete', attempt.id);
  });

  test('what it handed in at the very end is told before its report', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({ spec: held(), outputs: [{ key: 'late' }] });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    plane.isDown = true;
    plane.cut();
    const asked = { kind: 'output', body: { key: 'late', data: 1 } };
    expect((await stage.ask(attempt.id, 'POST', '/requests?wait=0', asked)).status).toBe(202);
    stage.touch('go');
    await stage.untilFile(join(stage.attemptDir(attempt.id), 'report.json'));
    plane.isDown = false;
    await plane.untilTold('complete', attempt.id);
    const order = plane.frames
      .map((it) => it.type)
      .filter((it) => it === 'output' || it === 'complete');
    expect(order).toEqual(['output', 'complete']);
  });

  test('a message reaches it in its workspace and with its task', async () => {
    const { plane } = stage;
    await stage.worker();
    const { attempt } = plane.assign({
      spec: `echo up; ${waitForText('.baton/notes.jsonl')}; cat .baton/notes.jsonl; ${waitFor(stage.path('go'))}`,
    });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    plane.send({
      type: 'message',
      attempt: attempt.id,
      author: 'Ada',
      text: 'use tabs',
      urgent: true,
    });
    const note = { author: 'Ada', text: 'use tabs', urgent: true };
    await plane.until(
      () => plane.log(attempt.id, 'stdout').toString().split('\n').length > 2,
      'the note, whole',
    );
    expect(JSON.parse(plane.log(attempt.id, 'stdout').toString().split('\n')[1] ?? '')).toEqual(
      note,
    );
    expect((await stage.ask(attempt.id, 'GET', '/task')).body['notes']).toEqual([note]);
    stage.touch('go');
    await plane.untilTold('complete', attempt.id);
  });
});

describe('the stop of a worker', () => {
  test('waits for what ends in time, and takes nothing more', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    const { attempt } = plane.assign({ spec: waitFor(stage.path('go')) });
    await plane.untilTold('started', attempt.id);
    const waiting: string[] = [];
    const stopped = worker.stop({
      graceMs: 120_000,
      onWaiting: (task) => waiting.push(task),
    });
    await plane.until(() => plane.told('slots').at(-1)?.free === 0, 'no free slots');
    const late = plane.assign({ spec: 'true' });
    await plane.untilTold('release', late.attempt.id);
    stage.touch('go');
    await stopped;
    expect(waiting).toEqual(['main']);
    expect(plane.told('complete', attempt.id)).toHaveLength(1);
    expect(worker.live).toBe(0);
  });

  test('hands back what does not end in time; a second stop hurries', async () => {
    const { plane } = stage;
    const worker = await stage.worker();
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    const stopped = worker.stop({ graceMs: 60_000 });
    void worker.stop();
    await stopped;
    // What a hurried stop has no time for, on a machine that is slow, the next start does.
    if (plane.told('release', attempt.id).length === 0) await stage.worker();
    const { body } = await plane.untilTold('release', attempt.id);
    expect(body).toMatchObject({ reason: 'the worker stops' });
    await eventually(() => findTree({ attemptId: attempt.id }).length === 0, 'its end');
  });

  test('leaves agents running for the next start when it is told so', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const { attempt } = plane.assign({
      spec: `echo once; ${waitFor(stage.path('go'))}; echo more`,
    });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    await first.stop({ leaveRunning: true });
    expect(findTree({ attemptId: attempt.id })).not.toEqual([]);
    await stage.worker();
    stage.touch('go');
    await plane.untilTold('complete', attempt.id);
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('once\nmore\n');
  });

  test('while the control plane is away, keeps the hand-back for the next start', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    plane.isDown = true;
    plane.cut();
    await first.stop({ graceMs: 0 });
    await eventually(() => findTree({ attemptId: attempt.id }).length === 0, 'its end');
    plane.isDown = false;
    await stage.worker();
    await plane.untilTold('release', attempt.id);
  });
});

describe('a worker', () => {
  test('joins once, keeps its key, and joins again with a token when the key is refused', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    await first.stop();
    const second = await stage.worker({ token: undefined });
    expect(second.id).toBe(first.id);
    await second.stop();
    plane.keys.clear();
    await expect(stage.worker({ token: undefined })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await stage.worker();
    expect(plane.isConnected).toBe(true);
  });

  test('under its floor of memory says that no work is welcome', async () => {
    const { plane } = stage;
    await stage.worker({ freeMemoryBytesMin: Number.MAX_SAFE_INTEGER });
    expect(await plane.until(() => plane.told('slots')[0], 'slots')).toMatchObject({ free: 0 });
  });
});
