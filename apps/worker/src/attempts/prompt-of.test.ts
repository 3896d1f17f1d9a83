import { taskSpec, type Assignment } from '@baton/contract';
import { expect, test } from 'vitest';
import { WITHOUT_GIT, type Workspace } from '../workspaces/workspace.ts';
import { turnPrompt } from './prompt-of.ts';

function given(engine: string, more: Partial<Assignment> = {}): Assignment {
  return {
    attempt: { id: 'att_2', epoch: 2, number: 2, generation: 1 },
    token: 't',
    project: 'prj_1',
    run: { id: 'run_1', goal: 'g', input: {}, labels: {} },
    task: { id: 'task_1', key: 'a', title: 'A', spec: taskSpec.parse({ spec: 'Do it.' }), engine },
    inputs: {},
    upstream: [],
    bases: {},
    notes: [],
    last_failure: null,
    saved: null,
    feedback: null,
    conversation: null,
    answer: null,
    continue: {
      attempt: 'att_1',
      worker: 'wrk_1',
      conversation: 'conv-1',
      wake: { kind: 'answer', question: 'Which?', answer: 'jwt' },
    },
    plan: null,
    decisions: [],
    started: false,
    lease_seconds: 90,
    heartbeat_seconds: 10,
    ...more,
  };
}

const place = (continuedFrom?: string): Workspace => ({
  attemptId: 'att_2',
  runId: 'run_1',
  taskKey: 'a',
  mode: 'scratch',
  path: '/w',
  cwd: '/w',
  ...WITHOUT_GIT,
  salvaged: null,
  ...(continuedFrom === undefined ? {} : { continuedFrom }),
});

test('where the directory and the conversation are, only what is new is said', () => {
  const note = { author: 'ann', text: 'and mind the tests', urgent: true };
  const old = { author: 'ann', text: 'old words', urgent: false };
  const before = given('claude', { notes: [old] });
  const { text, resume } = turnPrompt(
    given('claude', { notes: [old, note] }),
    place('att_1'),
    before,
  );
  expect(resume).toBe('conv-1');
  expect(text).toContain('jwt');
  expect(text).toContain('and mind the tests');
  expect(text).not.toContain('old words');
  expect(text).not.toContain('Do it.');
});

test('elsewhere everything is said, and that the directory is not there', () => {
  const { text, resume } = turnPrompt(given('claude'), place(), undefined);
  expect(resume).toBeNull();
  expect(text).toContain('Do it.');
  expect(text).toContain('jwt');
  expect(text).toContain('are not here');
});

test('without a conversation the work is still gone on with', () => {
  const it = given('claude');
  const { text, resume } = turnPrompt(
    { ...it, continue: it.continue === null ? null : { ...it.continue, conversation: null } },
    place('att_1'),
    undefined,
  );
  expect(resume).toBeNull();
  expect(text).toContain('lies there');
});

test('a plan is asked for until one is approved, with the feedback to the last', () => {
  const spec = taskSpec.parse({ spec: 'Do it.', approval: { plan: true } });
  const task = { ...given('claude').task, spec };
  const plan = {
    text: 'all at once',
    state: 'revised',
    revision: 1,
    generation: 1,
    feedback: 'smaller steps',
    by: 'ann',
    submitted_at: '2030-01-01T00:00:00.000Z',
    decided_at: '2030-01-01T00:00:00.000Z',
  } as const;
  const ask = turnPrompt(given('claude', { task, plan, continue: null }), place(), undefined);
  for (const part of ['Plan first', 'all at once', 'smaller steps', 'baton task plan']) {
    expect(ask.text).toContain(part);
  }
  const approved = { ...plan, state: 'approved', feedback: null } as const;
  const go = turnPrompt(
    given('claude', { task, plan: approved, continue: null }),
    place(),
    undefined,
  );
  expect(go.text).toContain('The approved plan');
  expect(go.text).not.toContain('Plan first');
});
