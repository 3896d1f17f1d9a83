import { assignment } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { buildAssignment, type AssignmentRows } from './assignment.ts';
import type { AttemptRow } from './rows.ts';
import { Model } from './testing/model.ts';

/** What the store loads for an attempt. */
function rowsOf(model: Model, attempt: AttemptRow): AssignmentRows {
  const { world } = model;
  const task = world.row('tasks', attempt.taskId);
  const spec = world.row('taskSpecs', attempt.taskId);
  if (task === null || spec === null) throw new Error('no task');
  const edgesIn = world.list('edgesIn', task.id);
  const upstreamTasks = [...new Set(edgesIn.map((it) => it.upstreamId))].flatMap(
    (id) => world.row('tasks', id) ?? [],
  );
  const before = world.list('attemptsOfTask', task.id).filter((it) => it.epoch < attempt.epoch);
  return {
    attempt,
    task,
    spec,
    run: model.runRow(task.runId),
    edgesIn,
    upstreamTasks,
    upstreamAttempts: upstreamTasks.flatMap(
      (it) => world.row('attempts', it.resultAttemptId ?? '') ?? [],
    ),
    upstreamOutputs: upstreamTasks.flatMap((it) => world.list('outputsOfTask', it.id)),
    upstreamArtifacts: upstreamTasks.flatMap((it) => world.list('artifactsOfTask', it.id)),
    notes: world.list('notesOfTask', task.id),
    previousAttempt: before.at(-1) ?? null,
  };
}
function take(model: Model, worker?: string): AttemptRow {
  const [attempt] = worker === undefined ? model.dispatch() : model.dispatch(worker);
  if (attempt === undefined) throw new Error('nothing was handed out');
  return attempt;
}

describe('an assignment', () => {
  test('has the inputs by the names of their edges, and what the upstreams left', () => {
    const model = new Model();
    const one = model.worker('one');
    const two = model.worker('two');
    model.run({
      goal: 'Users API',
      plan: {
        tasks: [
          { key: 'design', spec: 'Design it.', outputs: [{ key: 'schema' }] },
          { key: 'ok', kind: 'human', spec: 'Fine?' },
          { key: 'build', title: 'Build', spec: 'Build it.', needs: { engine: 'codex' } },
        ],
        dependencies: [
          {
            upstream: 'design',
            downstream: 'build',
            type: 'input',
            contract_key: 'schema',
            as: 'api',
          },
          { upstream: 'design', downstream: 'build' },
          { upstream: 'design', downstream: 'ok' },
          { upstream: 'ok', downstream: 'build' },
        ],
      },
    });
    const design = take(model, one);
    model.start(design);
    model.submit('attempt.artifact', {
      ...model.by(design),
      body: {
        epoch: design.epoch,
        name: 'work.bundle',
        kind: 'bundle',
        media_type: 'application/octet-stream',
        size: 1,
        sha256: 'a'.repeat(64),
        meta: {},
      },
      stored: true,
    });
    model.submit('attempt.complete', {
      ...model.by(design),
      body: {
        epoch: design.epoch,
        result: {
          status: 'success',
          summary: 'Designed.',
          contracts: { schema: { v: 1 } },
          commit: { repo: '/r', base: 'aaa', commit: 'bbb' },
        },
      },
    });
    const [checkpoint] = model.world.all('checkpoints');
    model.submit('checkpoint.resolve', {
      checkpoint: checkpoint?.id ?? '',
      body: { text: 'go on' },
      via: 'api',
    });
    const build = take(model, two);
    model.submit('task.note', { task: build.taskId, text: 'be quick', urgent: true });
    const made = buildAssignment(rowsOf(model, build));
    expect(assignment.parse({ ...made, token: 't' })).toMatchObject({
      attempt: { id: build.id, epoch: build.epoch, number: 1, generation: 1 },
      run: { goal: 'Users API' },
      task: { key: 'build', title: 'Build', engine: 'codex', spec: { spec: 'Build it.' } },
      inputs: { api: { v: 1 } },
      notes: [{ author: 'ada', text: 'be quick', urgent: true }],
      last_failure: null,
      started: false,
      lease_seconds: 90,
      heartbeat_seconds: 10,
    });
    const bundle = model.world.all('artifacts')[0]?.id;
    expect(made.upstream).toMatchObject([
      { key: 'design', edge: 'input', summary: 'Designed.', commit: { commit: 'bbb' }, bundle },
      { key: 'design', edge: 'blocks', bundle },
      { key: 'ok', edge: 'blocks', summary: 'go on', commit: null, bundle: null },
    ]);
  });

  test('says why the last attempt failed, and what a person asked for', () => {
    const model = new Model();
    model.worker('w');
    const run = model.graph({ a: { lease_seconds: 12 } });
    const first = take(model);
    model.start(first);
    model.fail(first);
    model.submit('task.retry', {
      task: model.byKey(run, 'a').id,
      reason: 'use the other library',
      downstream: 'keep',
    });
    const second = take(model);
    expect(buildAssignment(rowsOf(model, second))).toMatchObject({
      attempt: { number: 1, generation: 2 },
      last_failure: { failure_class: 'agent_error', reason: 'it broke', attempt: first.id },
      feedback: 'use the other library',
      heartbeat_seconds: 4,
    });
  });

  test('of an attempt that has started says so', () => {
    const model = new Model();
    model.worker('w');
    model.graph({ a: {} });
    const attempt = take(model);
    model.submit('attempt.start', {
      ...model.by(attempt),
      body: { epoch: attempt.epoch, conversation: 'c1' },
    });
    expect(buildAssignment(rowsOf(model, model.attempt(attempt.id)))).toMatchObject({
      started: true,
      conversation: 'c1',
    });
  });
});
