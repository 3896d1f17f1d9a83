import { runReplan, type TaskResult, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { graphOf, Model } from '../testing/model.ts';

type Policy = NonNullable<TaskSpecInput['verification']>;

const commit = (name: string) => ({ repo: '/r', base: 'base', commit: name });

/** A verified task, one that takes its output and one behind a gate; its attempt runs. */
function verified(verification: Policy, more: TaskSpecInput = {}) {
  const model = new Model();
  model.worker('w', { slots: 4 });
  const run = model.graph(
    {
      work: {
        outputs: [{ key: 'x', schema: { type: 'string' }, required: false }],
        workspace: { repo: '/r' },
        verification,
        ...more,
      },
      next: {},
      gated: {},
    },
    ['work -input:x-> next', 'work -gate-> gated'],
    { deliver: 'none' },
  );
  return { model, run };
}

function hand(model: Model, result: Partial<TaskResult> = {}): AttemptRow {
  const attempt = only(model.dispatch());
  model.start(attempt);
  submit(model, attempt, { contracts: { x: 'y' }, commit: commit('c1'), ...result });
  return attempt;
}

function submit(model: Model, attempt: AttemptRow, result: Partial<TaskResult>): void {
  model.submit('attempt.complete', {
    ...model.by(attempt),
    body: { epoch: attempt.epoch, result: { status: 'success', summary: 'done', ...result } },
  });
}

function only(attempts: readonly AttemptRow[]): AttemptRow {
  const [attempt, more] = attempts;
  if (attempt === undefined || more !== undefined) throw new Error(`${attempts.length} attempts`);
  return attempt;
}

function checkOf(model: Model): TaskRow {
  const check = model.world.all('tasks').findLast((it) => it.verifies !== null);
  if (check === undefined) throw new Error('nothing checks');
  return check;
}

function rejectByCommand(model: Model, attempt: AttemptRow, exitCode: number | null = 1): void {
  model.start(attempt);
  model.submit('attempt.fail', {
    ...model.by(attempt),
    body: {
      epoch: attempt.epoch,
      reason: 'exit code 2: npm test',
      failure_class: 'agent_error',
      exit_code: exitCode,
    },
  });
}

const byCommands: Policy = { checks: { commands: ["echo 'hi'", 'npm test'] } };

describe('a task with a verification policy', () => {
  test('waits for its verdict, and nothing that it hands on is seen before', () => {
    const { model, run } = verified(byCommands);
    const attempt = hand(model);
    expect(model.byKey(run, 'work')).toMatchObject({ status: 'verifying', resultAttemptId: null });
    expect(model.attempt(attempt.id).status).toBe('succeeded');
    expect([model.byKey(run, 'next').status, model.byKey(run, 'gated').status]).toEqual([
      'blocked',
      'blocked',
    ]);
    expect(model.told()).not.toContain('contract.fulfilled work');
    expect(model.runRow(run).status).toBe('running');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('commands run as a task of their own, which says what it checks', () => {
    const { model, run } = verified(byCommands);
    const attempt = hand(model);
    const check = checkOf(model);
    expect(check).toMatchObject({
      kind: 'verify',
      status: 'ready',
      verifies: {
        task: model.byKey(run, 'work').id,
        attempt: attempt.id,
        generation: 1,
        commit: 'c1',
        check: 'commands',
      },
    });
    const { spec } = model.world.row('taskSpecs', check.id) ?? {};
    expect(spec).toMatchObject({ role: 'verifier', needs: { engine: 'shell' } });
    expect(spec?.spec).toContain(`sh -c 'echo '\\''hi'\\'''`);
    expect(spec?.workspace).toMatchObject({ repo: '/r', base: 'upstream' });
  });

  test('when it is accepted the task completes, and what waited starts', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    const since = model.events.length;
    model.complete(only(model.dispatch()));
    expect(model.statuses(run)).toMatchObject({
      work: 'completed',
      next: 'ready',
      gated: 'ready',
    });
    expect(model.byKey(run, 'work').verification).toMatchObject({
      verdict: 'accepted',
      commit: 'c1',
      by: null,
    });
    const told = model.told(since);
    expect(told.indexOf('verification.accepted work')).toBeLessThan(
      told.indexOf('task.completed work'),
    );
    const verdict = model.events.find((it) => it.type === 'verification.accepted');
    expect(verdict?.data).toMatchObject({ commit: 'c1', check: 'commands' });
    for (const it of model.dispatch()) model.complete(it);
    expect(model.runRow(run).status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a rejection hands it out again with the words of the check, in the same conversation', () => {
    const { model, run } = verified(byCommands);
    const first = hand(model);
    rejectByCommand(model, only(model.dispatch()));
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'ready',
      feedback: 'exit code 2: npm test',
      continueAttemptId: first.id,
      wake: { kind: 'feedback', text: 'exit code 2: npm test' },
      attemptCount: 0,
      verification: { verdict: 'rejected', rejections: 1, by: null },
    });
    expect(model.statuses(run)).toMatchObject({ next: 'blocked', gated: 'blocked' });
    const second = hand(model, { commit: commit('c2') });
    expect(second.manifest['continue']).toMatchObject({ attempt: first.id });
    expect(checkOf(model).verifies).toMatchObject({ attempt: second.id, commit: 'c2' });
    model.complete(only(model.dispatch()));
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'completed',
      resultAttemptId: second.id,
    });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('is rejected at most as often as its policy says', () => {
    const { model, run } = verified({ ...byCommands, max_retries: 1 });
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'failed',
      failureClass: 'verification_rejected',
    });
    expect(model.byKey(run, 'work').reason).toMatch(/^rejected 2 times: /);
    expect(model.runRow(run).status).toBe('failed');
    expect(model.runRow(run).failedTasks).toBe(1);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('on_reject fail fails it at once', () => {
    const { model, run } = verified({ ...byCommands, on_reject: 'fail' });
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    expect(model.statuses(run)).toMatchObject({
      work: 'failed (exit code 2: npm test)',
      next: 'skipped (dependency_failed:work)',
      gated: 'skipped (gate_failed:work)',
    });
    expect(model.told()).toContain('gate.failed gated');
  });

  test.each<[string, string, string]>([
    ['accept', 'completed', 'ready'],
    ['retry', 'ready', 'blocked'],
    ['fail', 'failed', 'skipped (dependency_failed:work)'],
  ])('on_reject ask: a person may %s', (option, work, next) => {
    const { model, run } = verified({ ...byCommands, on_reject: 'ask', max_retries: 0 });
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    const task = model.byKey(run, 'work');
    expect(task).toMatchObject({ status: 'waiting', reason: 'review' });
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', needsHuman: 1 });
    model.submit('checkpoint.resolve', {
      checkpoint: task.checkpointId ?? '',
      body: { option },
      via: 'api',
    });
    expect(model.byKey(run, 'work').status).toBe(work);
    expect(model.statuses(run)['next']).toBe(next);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('decided while its run is paused, what is to be done again waits until the run goes on', () => {
    const { model, run } = verified({ ...byCommands, on_reject: 'ask', max_retries: 0 });
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    const { checkpointId } = model.byKey(run, 'work');
    model.submit('run.pause', { run, reason: null });
    model.submit('checkpoint.resolve', {
      checkpoint: checkpointId ?? '',
      body: { option: 'retry' },
      via: 'api',
    });
    expect(model.byKey(run, 'work')).toMatchObject({ status: 'paused', reason: 'run_paused' });
    expect(model.dispatch()).toEqual([]);
    expect(faultsOf(model.world)).toEqual([]);
    model.submit('run.resume', { run });
    expect(model.byKey(run, 'work').status).toBe('ready');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('on_reject replan: the run waits for a new plan', () => {
    const { model, run } = verified({ ...byCommands, on_reject: 'replan' });
    hand(model);
    rejectByCommand(model, only(model.dispatch()));
    expect(model.runRow(run)).toMatchObject({ status: 'waiting', reason: 'replan_needed:work' });
    expect(model.byKey(run, 'next').status).toBe('blocked');
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('a check that itself goes wrong', () => {
  test.each<[string, (model: Model, attempt: AttemptRow) => void]>([
    ['its shell is killed', (model, it) => rejectByCommand(model, it, 137)],
    ['its shell is killed by a signal', (model, it) => rejectByCommand(model, it, null)],
    ['it is lost', (model, it) => lose(model, it)],
    ['it is handed back', (model, it) => release(model, it)],
    ['its workspace fails', (model, it) => model.fail(it, 'workspace')],
    ['it takes too long', (model) => model.advance(1_801)],
  ])('%s: it is tried again, and that is no rejection', (_, goWrong) => {
    const { model, run } = verified(byCommands);
    hand(model);
    const check = only(model.dispatch());
    goWrong(model, check);
    model.advance(60);
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'verifying',
      verification: { rejections: 0, verdict: null },
    });
    model.worker('w', { slots: 4 });
    model.complete(only(model.dispatch()));
    expect(model.byKey(run, 'work').status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('when it cannot be done at all, the task fails as internal, not as rejected', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    for (let time = 0; time < 3; time++) {
      rejectByCommand(model, only(model.dispatch()), 137);
      model.advance(60);
    }
    expect(model.byKey(run, 'work')).toMatchObject({ status: 'failed', failureClass: 'internal' });
    expect(model.byKey(run, 'work').reason).toMatch(/^its check could not be done: /);
    expect(model.runRow(run)).toMatchObject({ status: 'failed', failedTasks: 1 });
    expect(faultsOf(model.world)).toEqual([]);
    model.submit('task.retry', {
      task: model.byKey(run, 'work').id,
      reason: null,
      downstream: 'keep',
    });
    hand(model);
    model.complete(only(model.dispatch()));
    for (const it of model.dispatch()) model.complete(it);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('a late verdict of a lost check is refused', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    const check = only(model.dispatch());
    model.start(check);
    lose(model, check);
    expect(model.byKey(run, 'work').status).toBe('verifying');
    const late = model.decide('attempt.complete', {
      ...model.by(check),
      body: { epoch: check.epoch, result: { status: 'success', summary: 'fine' } },
    });
    expect(late).toMatchObject({ reply: { declined: { code: 'stale_epoch' } } });
    expect(model.byKey(run, 'work').status).toBe('verifying');
  });

  test('a check of a result that counts no more is stopped, and its verdict refused', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    const check = only(model.dispatch());
    model.start(check);
    model.submit('task.cancel', { task: model.byKey(run, 'work').id, reason: 'no' });
    expect(model.attempt(check.id).status).toBe('stopping');
    submit(model, check, {});
    expect(model.attempt(check.id).status).toBe('cancelled');
    expect(model.byKey(run, 'work').status).toBe('cancelled');
    expect(model.told()).toContain('verification.dropped work');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('it can be neither cancelled nor retried by itself', () => {
    const { model } = verified(byCommands);
    hand(model);
    const { id } = checkOf(model);
    expect(model.refusal('task.cancel', { task: id, reason: null }).message).toContain('checks');
    model.complete(only(model.dispatch()));
    const again = { task: id, reason: null, downstream: 'keep' } as const;
    expect(model.refusal('task.retry', again).message).toContain('checked');
  });

  test('it cannot be superseded by a new plan by itself', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    const { key } = checkOf(model);
    const replan = () => {
      const plan = graphOf({ more: {} }, []);
      return { run, body: runReplan.parse({ plan, plan_version: 1, supersede: [key] }) };
    };
    expect(model.refusal('run.replan', replan()).message).toContain('checked');
    expect(model.byKey(run, 'work').status).toBe('verifying');
    model.complete(only(model.dispatch()));
    expect(model.refusal('run.replan', replan()).message).toContain('checked');
    expect(model.byKey(run, 'work').status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('rejected before it starts, or for its plan, it fails the task that it checks', () => {
    const { model, run } = verified({ checks: { judge: {} } });
    hand(model);
    const check = only(model.dispatch());
    model.start(check);
    const body = { epoch: check.epoch, plan: 'look', resume: 'live' as const };
    model.submit('attempt.plan', { ...model.by(check), body });
    const no = { verb: 'reject', body: { reason: 'not now' }, via: 'api' } as const;
    model.submit('task.decide', { task: check.taskId, ...no });
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'failed',
      failureClass: 'internal',
      reason: 'its check could not be done: not now',
    });
    expect(faultsOf(model.world)).toEqual([]);

    const other = model.graph({ work: { verification: byCommands } }, [], {
      policy: { require_dispatch_approval: 'always' },
      deliver: 'none',
    });
    const work = model.byKey(other, 'work').id;
    model.submit('task.decide', { task: work, verb: 'approve', body: {}, via: 'api' });
    hand(model, { contracts: {} });
    const asked = model.world.list('tasksOfRun', other).find((it) => it.verifies !== null);
    expect(asked?.status).toBe('awaiting_approval');
    model.submit('task.decide', { task: asked?.id ?? '', ...no });
    expect(model.byKey(other, 'work')).toMatchObject({
      status: 'failed',
      failureClass: 'internal',
    });
    expect(model.runRow(other).status).toBe('failed');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('it can be neither deleted nor purged by itself, open or ended', () => {
    const { model, run } = verified(byCommands);
    hand(model);
    const { id } = checkOf(model);
    const refused = () => {
      expect(model.refusal('task.delete', { task: id, reason: null }).message).toContain('checked');
      expect(model.refusal('task.purge', { task: id }).message).toContain('checked');
    };
    refused();
    expect(model.byKey(run, 'work').status).toBe('verifying');
    model.complete(only(model.dispatch()));
    refused();
    expect(model.byKey(run, 'work').status).toBe('completed');
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('checks without a task', () => {
  test.each<[string, Policy['checks'], Partial<TaskResult>, string | null]>([
    ['an output that is there', { outputs: ['x'] }, {}, null],
    ['an output that is missing', { outputs: ['x'] }, { contracts: {} }, 'did not hand on x'],
    ['an artifact that is missing', { artifacts: ['patch'] }, {}, 'no artifact patch'],
    [
      'a path that must change',
      { changed_paths: ['test/**'] },
      { changes: changes(['src/a.ts']) },
      'nothing in test/**',
    ],
    [
      'a path that may not change',
      { allowed_paths: ['src'] },
      { changes: changes(['src/a.ts', 'package.json']) },
      'it changed package.json',
    ],
    [
      'paths that may change',
      { allowed_paths: ['src'], changed_paths: ['src/*.ts'] },
      { changes: changes(['src/a.ts']) },
      null,
    ],
    [
      'more changes than can be seen',
      { allowed_paths: ['src'] },
      { changes: { ...changes(['src/a.ts']), files_omitted: 9 } },
      'too many',
    ],
  ])('%s', (_, checks, result, fault) => {
    const { model, run } = verified({ checks, on_reject: 'fail' });
    hand(model, result);
    const task = model.byKey(run, 'work');
    if (fault === null) expect(task.status).toBe('completed');
    else expect([task.status, task.reason]).toEqual(['failed', expect.stringContaining(fault)]);
    expect(model.world.all('tasks').some((it) => it.verifies !== null)).toBe(false);
    expect(faultsOf(model.world)).toEqual([]);
  });
});

describe('checks by a judge and a person', () => {
  test('they come one after the other, the cheap ones first', () => {
    const { model, run } = verified({
      checks: { commands: ['true'], judge: { engine: 'claude' }, person: true },
    });
    hand(model);
    model.complete(only(model.dispatch()));
    expect(checkOf(model).verifies?.check).toBe('judge');
    expect(model.world.row('taskSpecs', checkOf(model).id)?.spec.needs.engine).toBe('claude');
    model.complete(only(model.dispatch()));
    const task = model.byKey(run, 'work');
    expect(task).toMatchObject({ status: 'waiting', verification: { check: 'person' } });
    model.submit('checkpoint.resolve', {
      checkpoint: task.checkpointId ?? '',
      body: { option: 'accept' },
      via: 'api',
    });
    expect(model.byKey(run, 'work').status).toBe('completed');
    expect(model.told().filter((it) => it === 'verification.accepted work')).toHaveLength(3);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a judge that ends with failed rejects, in its words; one that is blocked is tried again', () => {
    const { model, run } = verified({ checks: { judge: {} } });
    hand(model);
    const first = only(model.dispatch());
    model.start(first);
    submit(model, first, { status: 'blocked', summary: 'no tools' });
    model.advance(60);
    expect(model.byKey(run, 'work').status).toBe('verifying');
    const second = only(model.dispatch());
    model.start(second);
    submit(model, second, { status: 'failed', summary: 'the tests are missing' });
    expect(model.byKey(run, 'work')).toMatchObject({
      status: 'ready',
      feedback: 'the tests are missing',
    });
    expect(model.attempt(second.id).status).toBe('succeeded');
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('what a person says in words is feedback', () => {
    const { model, run } = verified({ checks: { person: { question: 'Good?' } } });
    hand(model);
    const { checkpointId } = model.byKey(run, 'work');
    model.submit('checkpoint.resolve', {
      checkpoint: checkpointId ?? '',
      body: { text: 'rename it' },
      via: 'api',
    });
    expect(model.byKey(run, 'work')).toMatchObject({ status: 'ready', feedback: 'rename it' });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a task that is done again forgets what was said of its earlier life', () => {
    const { model, run } = verified({ checks: { outputs: ['x'] } });
    hand(model);
    model.submit('task.retry', {
      task: model.byKey(run, 'work').id,
      reason: null,
      downstream: 'keep',
    });
    expect(model.byKey(run, 'work').verification).toBeNull();
    expect(model.byKey(run, 'gated').status).toBe('blocked');
  });
});

function changes(files: string[]): NonNullable<TaskResult['changes']> {
  return {
    files_modified: files,
    files_created: [],
    files_deleted: [],
    insertions: 1,
    deletions: 0,
  };
}

function lose(model: Model, attempt: AttemptRow): void {
  model.nowMs = Math.max(model.nowMs, model.attempt(attempt.id).leaseUntilMs);
  const { leaseUntilMs } = model.attempt(attempt.id);
  model.submit('lease.expire', { attempt: attempt.id, leaseUntilMs });
}

function release(model: Model, attempt: AttemptRow): void {
  model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
}
