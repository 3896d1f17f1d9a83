import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAttemptFiles } from './attempts/files.ts';
import { openSupervisorClient } from './supervisor/client.ts';
import { findTree } from './supervisor/process-tree.ts';
import { Stage, waitFor } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open({ agents: true });
});
afterEach(() => stage.close());

/** A command that says once that it ran, and waits for the file `go`. */
const once = (): string =>
  `echo ran >> '${stage.path('runs')}'; echo a; ${waitFor(stage.path('go'))}; echo b`;

describe('a daemon killed', () => {
  test('while a workspace is made, makes it anew and runs the attempt', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    const up = stage.path('up');
    const setup = `echo x >> '${up}'; ${waitFor(stage.path('set'))}`;
    const { attempt } = plane.assign({
      spec: 'cat ready',
      workspace: { setup: `${setup}; echo yes > ready` },
    });
    await stage.untilFile(up);
    await stage.kill(daemon);
    expect(findTree({ attemptId: `${attempt.id}.setup` })).not.toEqual([]);
    rmSync(up);
    await stage.worker();
    await stage.untilLine(up);
    // That of the killed daemon is gone: it would write into a directory that is another's by now.
    expect(stage.read('up')).toBe('x\n');
    stage.touch('set');
    await plane.untilTold('complete', attempt.id);
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('yes\n');
  });

  test('while an agent runs, finds it again: nothing is run or said twice', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    const { attempt } = plane.assign({ spec: once() });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    await stage.kill(daemon);
    await stage.worker();
    expect(plane.told('hello').at(-1)?.attempts).toMatchObject([{ id: attempt.id, ended: false }]);
    stage.touch('go');
    await plane.untilTold('complete', attempt.id);
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('a\nb\n');
    expect(stage.read('runs')).toBe('ran\n');
  });

  test('while an agent ends, reads all it said, and what it asked for meanwhile', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    const { attempt } = plane.assign({ spec: once(), outputs: [{ key: 'api' }] });
    await plane.until(() => plane.log(attempt.id, 'stdout').length > 0, 'the agent');
    await stage.kill(daemon);
    const asked = { kind: 'output', body: { key: 'api', data: 1 } };
    expect((await stage.ask(attempt.id, 'POST', '/requests?wait=0', asked)).status).toBe(202);
    stage.touch('go');
    await stage.untilFile(stage.paths(attempt.id).exit);
    await stage.worker();
    await plane.untilTold('complete', attempt.id);
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('a\nb\n');
    expect(plane.told('output', attempt.id)).toHaveLength(1);
  });

  test('with a report that was not acknowledged, tells the same report again', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    plane.answer = (frame) => (frame.type === 'complete' ? 'silence' : undefined);
    const { attempt } = plane.assign({ spec: 'echo a' });
    const { body } = await plane.untilTold('complete', attempt.id);
    await stage.kill(daemon);
    plane.answer = () => undefined;
    await stage.worker();
    const all = await plane.until(() => {
      const told = plane.told('complete', attempt.id);
      return told.length > 1 && told;
    }, 'the report again');
    expect(all[1]?.body).toEqual(body);
    await stage.untilFile(join(stage.attemptDir(attempt.id), 'done.json'));
    expect(plane.told('hello').at(-1)?.attempts).toMatchObject([{ id: attempt.id, ended: true }]);
  });

  test('while an agent mends its result, goes on with that turn', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    const go = stage.path('go');
    const fix = `[[shell:echo x >> '${stage.path('runs')}'; until test -e '${go}'; do sleep 0.02; done]]`;
    const error = {
      code: 'contract_violation',
      detail: `api is missing ${fix}[[write:.baton/outputs/api.json|2]]`,
      retry: false,
      facts: {},
    };
    plane.answer = (frame) =>
      frame.type === 'complete' && plane.told('complete').length === 1 ? { error } : undefined;
    const it = plane.assign({
      spec: '[[say:x]]',
      needs: { engine: 'claude' },
      outputs: [{ key: 'api' }],
    });
    await stage.untilFile(stage.path('runs'));
    await stage.kill(daemon);
    await stage.worker();
    expect(plane.told('hello').at(-1)?.attempts).toMatchObject([{ ended: false }]);
    stage.touch('go');
    const all = await plane.until(() => {
      const told = plane.told('complete', it.attempt.id);
      return told.length === 2 && told;
    }, 'the mended result');
    expect(all[1]?.body.result.contracts).toEqual({ api: 2 });
    expect(stage.read('runs')).toBe('x\n');
    const outcomes = plane
      .log(it.attempt.id, 'agent')
      .toString()
      .match(/"type":"outcome"/g);
    expect(outcomes).toHaveLength(2);
  });

  test('while it hands a task back, still hands it back', async () => {
    const { plane } = stage;
    const daemon = await stage.daemon();
    plane.answer = (frame) => (frame.type === 'release' ? 'silence' : undefined);
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    daemon.kill('SIGTERM');
    const told = (): number => plane.told('release', attempt.id).length;
    // A daemon gives up at some time, and on a slow machine that may be before it told anything.
    await plane.until(() => told() > 0 || daemon.exitCode !== null, 'the hand-back');
    await stage.kill(daemon);
    // As if it had come no further than ending the agent.
    rmSync(join(stage.attemptDir(attempt.id), 'report.json'), { force: true });
    plane.answer = () => undefined;
    const before = told();
    await stage.worker();
    await plane.until(() => told() > before, 'the hand-back again');
    expect(plane.told('fail', attempt.id)).toEqual([]);
  });
});

describe('a worker takes up an attempt that was left', () => {
  test('by a supervisor that heard of a pause while no daemon was there', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    await first.stop({ leaveRunning: true });
    // What it does once it has renewed the lease and was told.
    await openSupervisorClient(stage.attemptDir(attempt.id)).stop('yielded', 1_000);
    await stage.untilFile(stage.paths(attempt.id).exit);
    await stage.worker();
    expect((await plane.untilTold('fail', attempt.id)).body.failure_class).toBe('cancelled');
    const files = openAttemptFiles(stage.dataDir, attempt.id);
    expect(files.stop()).toMatchObject({ kind: 'yield' });
  });

  test('between its workspace and its start', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    await first.stop();
    const it = plane.assign({ spec: 'echo made' });
    const files = openAttemptFiles(stage.dataDir, it.attempt.id);
    files.saveAssignment(it);
    // Planned, and no supervisor ever took it.
    const plan = {
      engine: 'shell',
      conversation: null,
      resumed: false,
      model: null,
      prompt_sha256: 'x',
    };
    files.turn(1).savePlan(plan);
    await stage.worker();
    await plane.untilTold('complete', it.attempt.id);
    expect(plane.log(it.attempt.id, 'stdout').toString()).toBe('made\n');
  });

  test('by a daemon that was about to end its agent, and tells nothing of it', async () => {
    const { plane } = stage;
    const first = await stage.worker();
    const { attempt } = plane.assign({ spec: 'sleep 300' });
    await plane.untilTold('started', attempt.id);
    await first.stop({ leaveRunning: true });
    const files = openAttemptFiles(stage.dataDir, attempt.id);
    files.saveStop({ kind: 'stale', reason: 'stale_epoch' });
    const second = await stage.worker();
    await plane.until(() => second.live === 0, 'the end of the attempt');
    expect(findTree({ attemptId: attempt.id })).toEqual([]);
    expect(files.isDone()).toBe(true);
    expect([...plane.told('complete'), ...plane.told('fail')]).toEqual([]);
  });

  test('and leaves one alone that it cannot read', async () => {
    openAttemptFiles(stage.dataDir, 'att_broken');
    const worker = await stage.worker();
    expect(worker.live).toBe(0);
    expect(existsSync(stage.attemptDir('att_broken'))).toBe(true);
  });
});
