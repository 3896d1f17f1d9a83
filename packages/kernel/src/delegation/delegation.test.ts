import { taskCreate, type CommandOf, type TaskCreateInput } from '@baton/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { isoOf } from '../iso-time.ts';
import type { AttemptRow } from '../rows.ts';
import { faultsOf } from '../testing/check-state.ts';
import { Model } from '../testing/model.ts';

let model: Model;
let run: string;
let parent: AttemptRow;
beforeEach(() => {
  model = new Model();
  model.worker('w', { slots: 20 });
  run = model.graph({ lead: { workspace: { repo: '/repo' }, needs: { engine: 'claude' } } });
  [parent] = model.dispatch() as [AttemptRow];
  model.start(parent);
});

const by = (attempt: AttemptRow) => ({
  attempt: attempt.id,
  worker: attempt.workerId,
  epoch: attempt.epoch,
});
const spawnOf = (body: TaskCreateInput, attempt = parent) => ({
  body: taskCreate.parse(body),
  spawner: by(attempt),
});
function spawn(body: TaskCreateInput, attempt = parent): string {
  const reply = model.submit('task.create', spawnOf(body, attempt));
  if (reply.declined !== undefined) throw new Error(reply.declined.message);
  return reply.task ?? '';
}
const declined = (body: TaskCreateInput, attempt = parent) =>
  model.submit('task.create', spawnOf(body, attempt)).declined;
const cold = (task: string) => model.world.row('taskSpecs', task);

type Await = Partial<CommandOf<'await.open'>['body']>;
const awaitSaid = (body: Await = {}, attempt = parent) => ({
  ...model.by(attempt),
  body: { epoch: attempt.epoch, ids: [], policy: 'all' as const, timeout: 3_600, ...body },
});
const awaitOf = (body: Await = {}, attempt = parent) =>
  model.submit('await.open', awaitSaid(body, attempt));
/** The agent's process ends, as a yielding one does. */
const endTurn = (attempt = parent) =>
  model.submit('attempt.release', { ...model.by(attempt), body: { epoch: attempt.epoch } });
/** Claims and ends a child's attempt. */
function end(child: string, how: 'complete' | 'fail' = 'complete'): void {
  const attempt = attemptOf(child);
  if (how === 'complete') model.complete(attempt);
  else model.fail(attempt);
}
function attemptOf(task: string): AttemptRow {
  model.dispatch();
  return model.attempt(model.world.row('tasks', task)?.attemptId ?? '');
}
const lead = () => model.byKey(run, 'lead');
const wakeOf = () =>
  lead().wake as { results: { key: string; status: string }[]; partial: boolean };

describe('a task that an agent hands on', () => {
  test('is of its run, below its task, without an edge, and takes over engine and repository', () => {
    const child = spawn({ title: 'part', spec: 'do a part' });
    expect(model.world.row('tasks', child)).toMatchObject({ runId: run, status: 'ready' });
    expect(cold(child)).toMatchObject({
      parentTaskId: parent.taskId,
      origin: parent.id,
      depth: 1,
      spec: { needs: { engine: 'claude' }, workspace: { repo: '/repo' } },
    });
    expect(model.world.list('dependenciesOfRun', run)).toEqual([]);
  });

  test('keeps its run open after its parent has ended', () => {
    const child = spawn({ spec: 'slow' });
    model.complete(parent);
    expect(model.runRow(run).status).toBe('running');
    end(child);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('is made once when it is sent again with its id, also by a later attempt', () => {
    const child = spawn({ id: 'mine', spec: 'once' });
    expect(spawn({ id: 'mine', spec: 'once' })).toBe(child);
    expect(model.world.list('childrenOfTask', parent.taskId)).toHaveLength(1);
    endTurn();
    const [again] = model.dispatch().filter((it) => it.taskId === parent.taskId);
    if (again === undefined) throw new Error('not offered again');
    expect(spawn({ id: 'mine', spec: 'once' }, again)).toBe(child);
  });

  test('is refused to an attempt that does not hold its task any more', () => {
    endTurn();
    expect(model.refusal('task.create', spawnOf({ spec: 'late' })).code).toBe('stale_epoch');
  });

  test.each([
    [{ run: 'run_other' }, 'forbidden'],
    [{ parent_task: 'task_other' }, 'forbidden'],
    [{ credentials: [{ name: 'prod' }] }, 'forbidden'],
    [{ workspace: { repo: '/repo', mode: 'in_place' as const } }, 'forbidden'],
  ])('with %j is %s', (more, code) => {
    expect(model.refusal('task.create', spawnOf({ spec: 'x', ...more })).code).toBe(code);
  });

  test('has no more freedom than its parent, and no higher priority', () => {
    model = new Model();
    model.worker('w', { slots: 20 });
    run = model.graph({ lead: { permissions: 'ask', priority: 'low' } });
    [parent] = model.dispatch() as [AttemptRow];
    expect(model.refusal('task.create', spawnOf({ permissions: 'auto' })).code).toBe('forbidden');
    expect(cold(spawn({ priority: 'critical' }))?.spec).toMatchObject({
      permissions: 'ask',
      priority: 'low',
    });
  });

  test('is at most three levels deep', () => {
    let attempt = parent;
    for (let depth = 1; depth <= 3; depth++) {
      const child = spawn({ spec: `level ${depth}` }, attempt);
      expect(cold(child)?.depth).toBe(depth);
      attempt = attemptOf(child);
    }
    expect(declined({ spec: 'too deep' }, attempt)).toMatchObject({
      code: 'limit_exceeded',
      detail: { limit: 'spawnDepthMax', max: 3 },
    });
    const { key } = model.world.row('tasks', attempt.taskId) ?? { key: '' };
    expect(model.told()).toContain(`task.spawn_refused ${key}`);
  });

  test('is one of eight at most that are at work', () => {
    const children = Array.from({ length: 8 }, (_, n) => spawn({ spec: `part ${n}` }));
    expect(declined({ spec: 'ninth' })?.detail).toMatchObject({ limit: 'openChildrenMax' });
    end(children[0] ?? '');
    expect(declined({ spec: 'ninth' })).toBeUndefined();
  });

  test('is cancelled with its parent, and so is what it handed on', () => {
    const child = spawn({ key: 'child', spec: 'x' });
    spawn({ key: 'grandchild', spec: 'y' }, attemptOf(child));
    model.submit('task.cancel', { task: parent.taskId, reason: 'enough' });
    expect(model.statuses(run)).toEqual({
      lead: 'cancelled (enough)',
      child: 'cancelled (parent_cancelled:lead)',
      grandchild: 'cancelled (parent_cancelled:lead)',
    });
  });

  test('is not delivered: its commit is for its parent', () => {
    const child = attemptOf(spawn({ spec: 'code' }));
    model.start(child);
    const commit = { repo: 'r', base: 'aaa', commit: 'bbb' };
    model.submit('attempt.complete', {
      ...model.by(child),
      body: { epoch: child.epoch, result: { status: 'success', summary: '', commit } },
    });
    expect(model.runRow(run).delivery.state).toBe('none');
  });
});

describe('the circuit breaker', () => {
  const work = { key: 'part', spec: 'fails' };

  test('trips after three failures in a row; force overrides and is on record', () => {
    for (let time = 0; time < 3; time++) end(spawn(work), 'fail');
    expect(model.told()).toContain('task.breaker_tripped part-3');
    expect(declined(work)).toMatchObject({ code: 'breaker_tripped', detail: { failures: 3 } });
    expect(declined(work)?.code).toBe('breaker_tripped');
    const forced = spawn({ ...work, force: true });
    expect(model.told()).toContain('task.respawn_forced lead');
    expect(model.told().filter((it) => it === 'task.respawn_refused lead')).toHaveLength(2);
    expect(cold(forced)?.rerunOf).toBe(model.byKey(run, 'part-3').id);
    end(forced);
    model.advance(121);
    expect(declined(work)).toBeUndefined();
  });

  test('knows the same work by its words where it has no key', () => {
    for (let time = 0; time < 3; time++) end(spawn({ spec: 'same words' }), 'fail');
    expect(declined({ spec: 'same words' })?.code).toBe('breaker_tripped');
    expect(declined({ spec: 'other words' })).toBeUndefined();
  });

  test('counts what a person retried as well, and a success clears it', () => {
    const child = spawn(work);
    end(child, 'fail');
    for (let time = 0; time < 2; time++) {
      model.submit('task.retry', { task: child, reason: null, downstream: 'keep' });
      end(child, 'fail');
    }
    expect(declined(work)?.code).toBe('breaker_tripped');
    model.submit('task.retry', { task: child, reason: null, downstream: 'keep' });
    end(child);
    expect(cold(child)?.failuresInRow).toBe(0);
  });

  test('refuses what succeeded within two minutes', () => {
    end(spawn(work));
    expect(declined(work)?.code).toBe('recent_success');
    model.advance(121);
    expect(declined(work)).toBeUndefined();
  });

  test('refuses what failed for its credentials', () => {
    model.fail(attemptOf(spawn(work)), 'auth');
    model.advance(100_000);
    expect(declined(work)?.code).toBe('blocker_auth');
  });

  test('refuses what met a rate limit until that is over', () => {
    const child = attemptOf(spawn(work));
    const retryAt = isoOf(model.nowMs + 600_000);
    model.submit('attempt.fail', {
      ...model.by(child),
      body: {
        epoch: child.epoch,
        reason: '429',
        failure_class: 'rate_limited',
        retry_at: retryAt,
      },
    });
    expect(declined(work)).toMatchObject({
      code: 'rate_limit_cooldown',
      detail: { retry_at: retryAt },
    });
  });

  test('leaves alone what is still at work: that is awaited', () => {
    spawn(work);
    expect(model.refusal('task.create', spawnOf(work)).code).toBe('duplicate_key');
  });
});

describe('an agent that awaits its children', () => {
  let a: string;
  let b: string;
  beforeEach(() => {
    a = spawn({ key: 'a', spec: 'a' });
    b = spawn({ key: 'b', spec: 'b' });
  });

  test('ends its turn, and is resumed once with everything when all have ended', () => {
    expect(awaitOf()).toMatchObject({ yields: true });
    expect(lead()).toMatchObject({ status: 'waiting', reason: 'await' });
    expect(model.attempt(parent.id).status).toBe('stopping');
    endTurn();
    expect(model.attempt(parent.id)).toMatchObject({ status: 'released' });
    end(a);
    expect(lead().status).toBe('waiting');
    end(b, 'fail');
    model.dispatch();
    expect(lead().status).toBe('running');
    const next = model.attempt(lead().attemptId ?? '');
    expect(next.manifest['continue']).toMatchObject({
      attempt: parent.id,
      wake: {
        kind: 'await',
        partial: false,
        results: [
          { key: 'a', status: 'completed', result: 'success', summary: 'done' },
          { key: 'b', status: 'failed', failure_class: 'agent_error', reason: 'it broke' },
        ],
      },
    });
    expect(lead().attemptCount).toBe(1);
    model.complete(next);
    expect(model.told().filter((it) => it === 'task.woken lead')).toHaveLength(1);
    expect(model.runRow(run).openAwaits).toBe(0);
  });

  test('is answered at once when what it awaits has come to pass, and goes on', () => {
    end(a);
    const reply = awaitOf({ ids: [a, b], policy: 'any' });
    expect(reply).toMatchObject({ results: [{ key: 'a', status: 'completed' }, { key: 'b' }] });
    expect(reply.yields).toBeUndefined();
    expect(model.attempt(parent.id).status).toBe('running');
    expect(awaitOf({ ids: [a] }).results).toHaveLength(1);
  });

  test('without children at work has nothing to await', () => {
    end(a);
    end(b);
    expect(awaitOf()).toMatchObject({ results: [] });
  });

  test('with a quorum is resumed by as many; who ends before it starts again comes along', () => {
    const c = spawn({ key: 'c', spec: 'c' });
    awaitOf({ policy: 'quorum', quorum: 2 });
    const [first, second, third] = [attemptOf(a), attemptOf(b), attemptOf(c)];
    model.complete(first);
    expect(lead().status).toBe('waiting');
    model.complete(second);
    expect(lead()).toMatchObject({ status: 'ready', reason: 'stopping' });
    model.complete(third);
    expect(wakeOf().results.map(({ status }) => status)).toEqual(Array(3).fill('completed'));
    endTurn();
    expect(model.told().filter((it) => it === 'task.woken lead')).toHaveLength(1);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('gets what has arrived when its time is up, marked partial', () => {
    awaitOf({ timeout: 60 });
    endTurn();
    end(a);
    model.advance(61);
    expect(lead().status).toBe('ready');
    expect(wakeOf()).toMatchObject({
      partial: true,
      results: [{ status: 'completed' }, { status: 'running' }],
    });
    expect(model.world.all('awaits')[0]).toMatchObject({ status: 'expired', partial: true });
  });

  test('that says it again awaits once; other words replace the await', () => {
    const first = awaitOf().await;
    expect(awaitOf()).toMatchObject({ await: first, already: true, yields: true });
    const second = awaitOf({ policy: 'any' }).await;
    expect(model.world.row('awaits', first ?? '')?.status).toBe('replaced');
    expect(model.world.row('awaits', second ?? '')?.status).toBe('open');
    expect(faultsOf(model.world)).toEqual([]);
    end(a);
    expect(lead().status).toBe('ready');
  });

  test('does not wait for what will never happen', () => {
    const c = spawn({ key: 'c', spec: 'c', depends_on: [a] });
    awaitOf({ ids: [a, c] });
    endTurn();
    end(a, 'fail');
    expect(lead().status).not.toBe('waiting');
  });

  test('cannot await strangers, nor what waits for its own end', () => {
    expect(model.refusal('await.open', awaitSaid({ ids: [parent.taskId] })).code).toBe(
      'unknown_task',
    );
    const after = spawn({ key: 'after', spec: 'x', depends_on: [parent.taskId] });
    const refused = model.refusal('await.open', awaitSaid({ ids: [after] }));
    expect(refused).toMatchObject({ code: 'cycle', detail: { path: ['lead', 'after'] } });
  });

  test('frees its slot: one slot is enough for parent and children', () => {
    model = new Model();
    model.worker('w', { slots: 1 });
    run = model.graph({ lead: {} });
    [parent] = model.dispatch() as [AttemptRow];
    model.start(parent);
    const child = spawn({ spec: 'x' });
    expect(model.dispatch()).toEqual([]);
    awaitOf();
    endTurn();
    end(child);
    const [again] = model.dispatch();
    expect(again?.taskId).toBe(parent.taskId);
  });

  test('is cancelled with its await; and a person may resume it early', () => {
    awaitOf();
    endTurn();
    end(a);
    model.submit('await.cancel', { task: parent.taskId });
    expect(wakeOf()).toMatchObject({ partial: true });
    const [again] = model.dispatch().filter((it) => it.taskId === parent.taskId);
    if (again === undefined) throw new Error('not resumed');
    model.start(again);
    awaitOf({}, again);
    model.submit('task.cancel', { task: parent.taskId, reason: null });
    expect(model.world.all('awaits').map(({ status }) => status)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('leaves no await to be looked at when it is cancelled before it takes the results up', () => {
    awaitOf();
    end(a);
    end(b);
    expect(lead().status).toBe('ready');
    model.submit('task.cancel', { task: parent.taskId, reason: null });
    expect(model.runRow(run).openAwaits).toBe(0);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('goes on waiting when it was paused meanwhile, and hears what ended by then', () => {
    awaitOf({ timeout: 60 });
    endTurn();
    model.submit('task.pause', { task: parent.taskId, reason: null });
    end(a);
    model.submit('task.resume', { task: parent.taskId });
    expect(lead()).toMatchObject({ status: 'waiting', reason: 'await' });
    model.submit('task.pause', { task: parent.taskId, reason: null });
    end(b);
    model.advance(61);
    model.submit('task.resume', { task: parent.taskId });
    expect(lead().status).toBe('ready');
    expect(wakeOf()).toMatchObject({ partial: false, results: [{ key: 'a' }, { key: 'b' }] });
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('may do so four times before a person has a say', () => {
    let attempt = parent;
    for (let time = 0; time < 4; time++) {
      awaitOf({ ids: [b], timeout: 1 }, attempt);
      endTurn(attempt);
      model.advance(2);
      attempt = model.dispatch().find((it) => it.taskId === parent.taskId) ?? attempt;
      model.start(attempt);
    }
    const refused = model.refusal('await.open', awaitSaid({ ids: [b] }, attempt));
    expect(refused).toMatchObject({
      code: 'limit_exceeded',
      detail: { limit: 'wakesPerHumanTurnMax' },
    });
    model.submit('task.note', { task: parent.taskId, text: 'go on', urgent: false });
    expect(awaitOf({ ids: [b] }, attempt)).toMatchObject({ yields: true });
  });

  test('hears of children in other runs when they are looked at', () => {
    const far = model.task({ spec: 'far', parent_task: parent.taskId });
    awaitOf({ ids: [far] });
    endTurn();
    end(far);
    expect(lead().status).toBe('waiting');
    const [open] = model.world.all('awaits');
    expect(open?.crossesRuns).toBe(true);
    model.submit('await.check', { run, await: open?.id ?? '' });
    expect(lead().status).toBe('ready');
  });
});

describe('the ledger of actions', () => {
  const told = (call: string, status: 'started' | 'succeeded' | 'failed') => ({
    ...model.by(parent),
    body: {
      epoch: parent.epoch,
      actions: [
        {
          call,
          kind: 'tool_call' as const,
          name: 'Bash',
          target: 'make',
          effect: 'local_write' as const,
          status,
        },
      ],
    },
  });

  test('has each call once, however often it is told', () => {
    for (const status of ['started', 'started', 'failed', 'succeeded', 'started'] as const) {
      model.submit('attempt.actions', told('c1', status));
    }
    model.submit('attempt.actions', told('c2', 'started'));
    expect(model.world.all('actions').map(({ call, status }) => [call, status])).toEqual([
      ['c1', 'failed'],
      ['c2', 'started'],
    ]);
  });

  test('takes nothing from an attempt that has ended', () => {
    endTurn();
    expect(model.refusal('attempt.actions', told('c1', 'started')).code).toBe('stale_epoch');
  });
});
