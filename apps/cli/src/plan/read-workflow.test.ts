import { fileURLToPath } from 'node:url';
import { AppError, plan, runCreate } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { parseWorkflow, readWorkflow, type ReadOptions } from './read-workflow.ts';

const parse = (text: string, options: ReadOptions = {}) =>
  parseWorkflow(text, '/repo/baton.yaml', options);

function faultsOf(text: string, options: ReadOptions = {}): readonly string[] {
  try {
    parse(text, options);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const faults = error.publicDetail['violations'];
    if (Array.isArray(faults)) return faults.map((it) => it.replace('/repo/baton.yaml:', ''));
  }
  throw new Error('it was accepted');
}

const GRAPH = `
goal: Users API
defaults:
  engine: claude
  repo: .
  retries: 1
  timeouts: { idle: 60 }
deliver: merge
tasks:
  design:
    spec: Design it.
    outputs:
      api_schema: { type: api_schema, schema: { type: object } }
  build:
    spec: Build it.
    needs: { engine: codex, languages: [rust] }
    timeout: 600
    inputs:
      schema: { from: design.api_schema }
  check:
    kind: command
    engine: shell
    spec: npm test
    role: verifier
    after: build
  land:
    kind: integrate
    after: [build, { task: design, on: done }]
    gate: [check]
    retries: 0
`;

describe('a plan file', () => {
  test('becomes the body of a run: edges, shorthands and defaults written out', () => {
    expect(parse(GRAPH)).toEqual({
      goal: 'Users API',
      deliver: 'merge',
      plan: {
        tasks: [
          {
            key: 'design',
            spec: 'Design it.',
            needs: { engine: 'claude' },
            workspace: { repo: '/repo' },
            retry: { max_attempts: 2 },
            timeouts: { idle: 60 },
            outputs: [{ key: 'api_schema', type: 'api_schema', schema: { type: 'object' } }],
          },
          {
            key: 'build',
            spec: 'Build it.',
            needs: { engine: 'codex', languages: ['rust'] },
            workspace: { repo: '/repo' },
            retry: { max_attempts: 2 },
            timeouts: { idle: 60, run: 600 },
          },
          {
            key: 'check',
            kind: 'command',
            role: 'verifier',
            spec: 'npm test',
            needs: { engine: 'shell' },
            workspace: { repo: '/repo' },
            retry: { max_attempts: 2 },
            timeouts: { idle: 60 },
          },
          {
            key: 'land',
            kind: 'integrate',
            needs: { engine: 'claude' },
            workspace: { repo: '/repo' },
            retry: { max_attempts: 1 },
            timeouts: { idle: 60 },
          },
        ],
        dependencies: [
          {
            upstream: 'design',
            downstream: 'build',
            type: 'input',
            contract_key: 'api_schema',
            as: 'schema',
          },
          { upstream: 'build', downstream: 'check', type: 'blocks' },
          { upstream: 'build', downstream: 'land', type: 'blocks' },
          { upstream: 'design', downstream: 'land', type: 'blocks', on: 'done' },
          { upstream: 'check', downstream: 'land', type: 'gate' },
        ],
      },
    });
  });

  test('is what the control plane takes', () => {
    const body = runCreate.parse(parse(GRAPH));
    expect(plan.parse(body.plan).tasks.map(({ key }) => key)).toEqual([
      'design',
      'build',
      'check',
      'land',
    ]);
  });

  test.each([
    ['a name', 'gateway', 'gateway'],
    ['a URL', 'https://example.org/x.git', 'https://example.org/x.git'],
    ['a path beside the file', './lib', '/repo/lib'],
    ['an absolute path', '/srv/lib', '/srv/lib'],
  ])('takes %s for a repository', (_, written, read) => {
    const body = parse(`goal: x\ntasks: { a: { spec: y, repo: "${written}" } }`);
    expect(typeof body.plan === 'object' && body.plan.tasks[0]?.workspace?.repo).toBe(read);
  });

  test('gives engine and repository of the command line to tasks that name none', () => {
    const text =
      'goal: x\ntasks:\n  a: { spec: y }\n  b: { spec: y, engine: codex, repo: lib }\n  c: { kind: command, spec: make }';
    const body = parse(text, { engine: 'claude', repo: '/srv/app' });
    const tasks = typeof body.plan === 'object' ? body.plan.tasks : [];
    expect(tasks.map(({ needs, workspace }) => [needs?.engine, workspace?.repo])).toEqual([
      ['claude', '/srv/app'],
      ['codex', 'lib'],
      [undefined, '/srv/app'],
    ]);
  });

  test('takes outputs as a list of names too', () => {
    const body = parse(
      'goal: x\ntasks: { a: { spec: y, outputs: [report, {key: b, type: text}] } }',
    );
    expect(typeof body.plan === 'object' && body.plan.tasks[0]?.outputs).toEqual([
      { key: 'report' },
      { key: 'b', type: 'text' },
    ]);
  });
});

describe('parameters', () => {
  const text = `
goal: Fix \${{ issue }}
parameters:
  issue:
  minutes: { default: 5 }
  dry: { default: false }
tasks:
  a: { spec: "issue \${{ params.issue }} dry=\${{dry}}", timeout: "\${{ minutes }}" }
`;
  test('are filled in, each with the type of its default', () => {
    const body = parse(text, { params: { issue: '#12', minutes: '7' } });
    expect(body.goal).toBe('Fix #12');
    expect(typeof body.plan === 'object' && body.plan.tasks[0]).toMatchObject({
      spec: 'issue #12 dry=false',
      timeouts: { run: 7 },
    });
  });

  test.each([
    ['required but not given', {}, '4:3: parameters.issue: give it a value: --param issue=...'],
    [
      'given but unknown',
      { issue: '1', isue: '2' },
      '3:1: parameters: there is no parameter isue; the plan has issue, minutes, dry',
    ],
    [
      'of another type',
      { issue: '1', minutes: 'x' },
      '5:3: parameters.minutes: must be a number, not x',
    ],
  ])('are refused when %s', (_, params, fault) => {
    expect(faultsOf(text, { params: params as Record<string, string> })).toEqual([fault]);
  });

  test('must be declared before they are used', () => {
    expect(faultsOf('goal: x\ntasks:\n  a:\n    spec: ${{ nope }}')).toEqual([
      '4:5: tasks.a.spec: there is no parameter nope; declare it under parameters',
    ]);
  });
});

describe('a fault is told with its line', () => {
  test.each([
    [
      'an unknown field',
      'goal: x\ntasks:\n  a:\n    spec: y\n    neds: {}',
      ['5:5: tasks.a: there is no field neds; did you mean needs?'],
    ],
    [
      'an unknown field deep inside',
      'goal: x\ntasks:\n  a:\n    outputs:\n      api: { typ: text }',
      ['5:14: tasks.a.outputs.api: there is no field typ; did you mean type?'],
    ],
    [
      'a wrong value',
      'goal: x\ntasks:\n  a:\n    priority: urgent',
      ['4:5: tasks.a.priority: Invalid option: expected one of "critical"|"high"|"normal"|"low"'],
    ],
    [
      'an unknown upstream',
      'goal: x\ntasks:\n  a: { spec: y }\n  b:\n    after: [a, c]',
      ['5:5: tasks.b.after: there is no task c; the plan has a, b'],
    ],
    [
      'an output that nobody declares',
      'goal: x\ntasks:\n  a: { outputs: [one] }\n  b:\n    inputs:\n      i: { from: a.two }',
      ['6:7: tasks.b.inputs.i: task a has no output two; it declares one'],
    ],
    [
      'a source without its output',
      'goal: x\ntasks:\n  b:\n    inputs:\n      i: { from: a }',
      ['5:12: tasks.b.inputs.i.from: must be task.output, such as design.api_schema'],
    ],
    ['no tasks', 'goal: x', ['1:1: tasks: Invalid input: expected record, received undefined']],
    [
      'broken YAML',
      'goal: x\ntasks: [',
      ['2:9: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['no document', '', ['1:1: Invalid input: expected object, received null']],
  ])('%s', (_, text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });
});

describe('a plan that is added to a run', () => {
  const around = new Map([
    ['design', [{ key: 'api' }]],
    ['ship', []],
  ]);
  const file = (existing: string): string =>
    `goal: x\ntasks:\n  build2: { spec: y, outputs: [bin] }\nexisting:\n  ${existing}`;
  const parse = (text: string, given?: typeof around) =>
    parseWorkflow(text, '/plans/second.yaml', given === undefined ? {} : { around: given });

  test('says what tasks that are there already are to wait for', () => {
    const text = file('ship: { after: [build2], inputs: { it: { from: build2.bin } } }');
    const { dependencies } = plan.parse(parse(text, around).plan);
    expect(dependencies).toMatchObject([
      { upstream: 'build2', downstream: 'ship', type: 'blocks' },
      { upstream: 'build2', downstream: 'ship', type: 'input', contract_key: 'bin', as: 'it' },
    ]);
  });

  test.each([
    [
      'nobody knows',
      'shop: { after: [build2] }',
      around,
      'existing.shop: the run has no task shop',
    ],
    [
      'are of a new run',
      'ship: { after: [build2] }',
      undefined,
      'only the plan of baton run replan',
    ],
    ['wait for nothing known', 'ship: { after: [b] }', around, 'there is no task b'],
    ['are to change', 'ship: { spec: z }', around, 'there is no field spec'],
  ])('is refused when they %s', (_, existing, given, words) => {
    let said = '';
    try {
      parse(file(existing), given);
    } catch (error) {
      said = error instanceof AppError ? JSON.stringify(error.publicDetail) : String(error);
    }
    expect(said).toContain(words);
  });
});

describe('the examples', () => {
  test.each(['claude', 'codex', 'mixed'])('%s is a plan that the control plane takes', (name) => {
    const path = fileURLToPath(new URL(`../../../../examples/${name}/baton.yaml`, import.meta.url));
    const body = runCreate.parse(readWorkflow(path, { repo: '/tmp/wordkit' }));
    const { tasks, dependencies } = plan.parse(body.plan);
    expect(tasks.map(({ key }) => key)).toEqual([
      'design',
      'slugify',
      'summarize',
      'verify',
      'integrate',
    ]);
    expect(tasks.every(({ workspace }) => workspace?.repo === '/tmp/wordkit')).toBe(true);
    expect(dependencies.filter(({ type }) => type === 'input')).toHaveLength(2);
    expect(body.deliver).toBe('merge');
  });
});
