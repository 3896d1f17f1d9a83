import { LIMITS, runCreate, type RunCreateInput, type TaskSpecInput } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../testing/check-state.ts';
import { graphOf, Model } from '../testing/model.ts';

function refusalOf(body: RunCreateInput) {
  return new Model().refusal('run.create', { body: runCreate.parse(body) });
}
function graphRefusal(tasks: Record<string, TaskSpecInput>, edges: readonly string[] = []) {
  return refusalOf({ plan: graphOf(tasks, edges) });
}

describe('run.create', () => {
  test('a goal without a plan is one agent task of it', () => {
    const model = new Model();
    const run = model.run({ goal: 'Fix the test\nplease', task: { needs: { engine: 'codex' } } });
    const task = model.byKey(run, 'main');
    const spec = model.world.row('taskSpecs', task.id);
    expect(spec?.title).toBe('Fix the test');
    expect(spec?.spec).toMatchObject({
      kind: 'agent',
      spec: 'Fix the test\nplease',
      needs: { engine: 'codex' },
    });
    expect(task.status).toBe('ready');
    expect(model.told()).toEqual([
      'run.created',
      'task.created main',
      'run.started',
      'task.ready main',
    ]);
  });

  test('wrong fields of that task are named', () => {
    expect(refusalOf({ goal: 'x', task: { needs: { engin: 'codex' } } })).toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('task.needs'),
    });
  });

  test('tells every task in plan order with the status it begins in', () => {
    const model = new Model();
    model.graph(
      {
        a: {},
        b: {},
        c: { approval: { dispatch: true } },
        d: { kind: 'human', spec: 'Go?' },
        e: { kind: 'join' },
      },
      ['a -> b', 'b -> e'],
    );
    const created = model.events.filter((it) => it.type === 'task.created');
    expect(created.map((it) => [it.data['key'], it.data['status']])).toEqual([
      ['a', 'ready'],
      ['b', 'blocked'],
      ['c', 'awaiting_approval'],
      ['d', 'waiting'],
      ['e', 'blocked'],
    ]);
    expect(faultsOf(model.world)).toEqual([]);
  });

  test('a run that only people can move begins waiting', () => {
    const model = new Model();
    const asks = model.graph({ a: { kind: 'human', spec: 'Go?' } });
    const manual = model.graph({ a: { dispatch: 'manual' } });
    expect(model.runRow(asks).status).toBe('waiting');
    expect(model.runRow(manual).status).toBe('waiting');
    expect(model.told().filter((it) => it === 'run.waiting')).toHaveLength(2);
  });

  test('a graph of joins alone is done at once', () => {
    const model = new Model();
    const run = model.graph({ a: { kind: 'join' }, b: { kind: 'join' } }, ['a -> b']);
    expect(model.runRow(run).status).toBe('completed');
  });

  test('a cycle is spelled out', () => {
    const refusal = graphRefusal({ a: {}, b: {}, c: {} }, ['a -> b', 'b -> c', 'c -> a']);
    expect(refusal.code).toBe('cycle');
    expect(refusal.message).toMatch(/a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c/);
    expect(graphRefusal({ a: {} }, ['a -> a']).message).toContain('a -> a');
  });

  test('related tasks may refer to each other', () => {
    const model = new Model();
    const run = model.graph({ a: {}, b: {} }, ['a -related-> b', 'b -related-> a']);
    expect(model.statuses(run)).toEqual({ a: 'ready', b: 'ready' });
  });

  test.each<[string, RunCreateInput, string, string]>([
    [
      'two tasks with one key',
      { plan: { tasks: [{ key: 'a' }, { key: 'a' }] } },
      'duplicate_key',
      'a',
    ],
    [
      'two tasks with one id',
      {
        plan: {
          tasks: [
            { key: 'a', id: 'x' },
            { key: 'b', id: 'x' },
          ],
        },
      },
      'duplicate_key',
      'x',
    ],
    [
      'an edge to nowhere',
      { plan: graphOf({ build: {} }, ['build -> biuld']) },
      'unknown_task',
      'Did you mean build?',
    ],
    [
      'an input without a key',
      { plan: graphOf({ a: { outputs: [{ key: 'x' }] }, b: {} }, ['a -input-> b']) },
      'unknown_contract',
      'it declares x',
    ],
    [
      'an input that nobody makes',
      { plan: graphOf({ a: { outputs: [{ key: 'x' }] }, b: {} }, ['a -input:y-> b']) },
      'unknown_contract',
      'declares no output y; it declares x',
    ],
    [
      'an output declared twice',
      { plan: graphOf({ a: { outputs: [{ key: 'x' }, { key: 'x' }] } }, []) },
      'duplicate_key',
      'x',
    ],
    [
      'a schema that is none',
      { plan: graphOf({ a: { outputs: [{ key: 'x', schema: { type: 'strin' } }] } }, []) },
      'invalid_schema',
      'type strin',
    ],
    [
      'an engine nobody knows',
      { plan: graphOf({ a: { needs: { engine: 'cluade' } } }, []) },
      'unknown_engine',
      'Did you mean claude?',
    ],
    ['a plan task', { plan: graphOf({ a: { kind: 'plan' } }, []) }, 'not_supported', 'plan'],
    [
      'a verification of what nobody hands on',
      {
        plan: graphOf(
          { a: { outputs: [{ key: 'x' }], verification: { checks: { outputs: ['y'] } } } },
          [],
        ),
      },
      'not_supported',
      'declared: x',
    ],
    [
      'a verification of a check',
      {
        plan: graphOf({ a: { kind: 'verify', verification: { checks: { person: true } } } }, []),
      },
      'not_supported',
      'itself a check',
    ],
    [
      'a verification by commands of work in place',
      {
        plan: graphOf(
          {
            a: {
              workspace: { repo: '/r', mode: 'in_place' },
              verification: { checks: { commands: ['true'] } },
            },
          },
          [],
        ),
      },
      'not_supported',
      'worktree',
    ],
    [
      'a gate on a question',
      { plan: graphOf({ a: { kind: 'human', spec: '?' }, b: {} }, ['a -gate-> b']) },
      'not_supported',
      'use blocks',
    ],
    ['planning by a model', { goal: 'x', plan: 'auto' }, 'not_supported', 'plan'],
    [
      'a merge without a repository',
      { plan: graphOf({ a: {} }, []), deliver: 'merge' },
      'bad_request',
      'workspace.repo',
    ],
    ['pull requests', { goal: 'x', deliver: 'pull_request' }, 'not_supported', 'branch'],
  ])('%s is refused and named', (_, body, code, words) => {
    const refusal = refusalOf(body);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(words);
  });

  test('what is refused leaves nothing behind', () => {
    const model = new Model();
    model.refusal('run.create', {
      body: runCreate.parse({ plan: graphOf({ a: {} }, ['a -> a']) }),
    });
    expect(model.world.all('runs')).toEqual([]);
    expect(model.events).toEqual([]);
  });

  test('the same edge twice is one edge; other types and keys between two tasks are others', () => {
    const model = new Model();
    const outputs = [{ key: 'x' }, { key: 'y' }];
    const run = model.graph({ a: { outputs }, b: {} }, [
      'a -> b',
      'a -> b',
      'a -input:x-> b',
      'a -input:x-> b',
      'a -input:y-> b',
      'a -related-> b',
    ]);
    expect(model.world.list('dependenciesOfRun', run)).toHaveLength(4);
    expect(model.byKey(run, 'b').pending).toBe(3);
  });

  test("a client's own id is kept under the project, and taken once", () => {
    const model = new Model();
    const plan = { tasks: [{ key: 'a', id: 'Mine-1' }] };
    const run = model.run({ plan });
    expect(model.byKey(run, 'a').id).toBe('prj_test.Mine-1');
    expect(model.refusal('run.create', { body: runCreate.parse({ plan }) })).toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining('Mine-1'),
    });
  });

  test.each<[string, RunCreateInput, Record<string, string>]>([
    [
      'always',
      { policy: { require_dispatch_approval: 'always' } },
      {
        impl: 'awaiting_approval',
        verify: 'awaiting_approval',
        cmd: 'awaiting_approval',
        asked: 'awaiting_approval',
      },
    ],
    [
      'by role',
      { policy: { require_dispatch_approval: { roles: ['verifier'] } } },
      { impl: 'ready', verify: 'awaiting_approval', cmd: 'ready', asked: 'awaiting_approval' },
    ],
    [
      'by engine',
      { policy: { require_dispatch_approval: { engines: ['shell'] } } },
      { impl: 'ready', verify: 'ready', cmd: 'awaiting_approval', asked: 'awaiting_approval' },
    ],
    [
      'by label',
      { policy: { require_dispatch_approval: { labels: { risk: 'high' } } } },
      { impl: 'awaiting_approval', verify: 'ready', cmd: 'ready', asked: 'awaiting_approval' },
    ],
  ])('approval of dispatch %s', (_, more, expected) => {
    const model = new Model();
    const run = model.graph(
      {
        impl: { labels: { risk: 'high' } },
        verify: { role: 'verifier' },
        cmd: { kind: 'command', spec: 'true' },
        asked: { approval: { dispatch: true } },
      },
      [],
      more,
    );
    const statuses = model.statuses(run);
    for (const [key, status] of Object.entries(expected)) expect(statuses[key]).toContain(status);
  });

  test('equal needs share one row, whoever has them', () => {
    const model = new Model();
    model.graph({
      a: { needs: { repo: 'api', tools: ['git', 'make'] } },
      b: { needs: { repo: 'api', tools: ['make', 'git'], languages: ['rust'] } },
      c: { needs: { repo: 'web' } },
    });
    expect(model.world.all('needs')).toHaveLength(2);
  });

  test('10,000 tasks and 50,000 edges are taken in whole', () => {
    const model = new Model();
    const size = LIMITS.tasksPerRunMax;
    const tasks = Array.from({ length: size }, (_, at) => ({ key: `t${at}` }));
    const dependencies = Array.from({ length: LIMITS.dependenciesPerRunMax }, (_, at) => {
      const downstream = 10 + (at % (size - 10));
      return {
        upstream: `t${downstream - 1 - Math.floor(at / size)}`,
        downstream: `t${downstream}`,
      };
    });
    const run = model.run({ plan: { tasks, dependencies } });
    expect(model.runRow(run).status).toBe('planning');
    model.advance(0);
    expect(model.world.all('planParts')).toEqual([]);
    expect(model.runRow(run)).toMatchObject({ taskCount: size, openTasks: size, activeTasks: 10 });
    expect(model.runRow(run).seq).toBe(size + 2 + 10);
    const back = [...dependencies, { upstream: 't9999', downstream: 't10' }].slice(-40_000);
    expect(
      model.refusal('run.create', {
        body: runCreate.parse({ plan: { tasks, dependencies: back } }),
      }).code,
    ).toBe('cycle');
  });
});
