import { plan as planSchema, runCreate, type Actor, type PlanInput } from '@baton/contract';
import { createHash, randomUUID } from 'node:crypto';
import type { Db } from '@baton/store';
import { createCoordinator, type Coordinator } from '../coordinator.ts';
import { addWorker } from './add-worker.ts';
import { patient } from './patient.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Content of the one artifact of the busy state. */
export const BUSY_ARTIFACT = Buffer.from('a patch of the busy state');

/** A database in which a little of everything is under way, and ids of what is there. */
export interface BusyState {
  readonly project: string;
  readonly worker: string;
  readonly run: string;
  /** Task ids by key. */
  readonly tasks: ReadonlyMap<string, string>;
  /** Attempt ids by the key of their task. */
  readonly attempts: ReadonlyMap<string, string>;
}

const PLAN: PlanInput = {
  tasks: [
    { key: 'design', kind: 'command', spec: 'true', outputs: [{ key: 'api', type: 'json' }] },
    { key: 'build', kind: 'command', spec: 'true' },
    { key: 'ship', kind: 'command', spec: 'true' },
    { key: 'broken', kind: 'command', spec: 'false' },
    { key: 'after-broken', kind: 'command', spec: 'true' },
    { key: 'asking', kind: 'command', spec: 'true' },
    { key: 'person', kind: 'human', spec: 'Which colour?' },
    { key: 'stopped', kind: 'command', spec: 'true' },
    { key: 'queued', kind: 'agent', spec: 'Wait for an agent.', needs: { engine: 'claude' } },
  ],
  dependencies: [
    { upstream: 'design', downstream: 'build', type: 'input', contract_key: 'api' },
    { upstream: 'build', downstream: 'ship' },
    { upstream: 'broken', downstream: 'after-broken' },
  ],
};

/**
 * Drives a run to where `design` is completed with output and artifact, `build` runs, `ship` is blocked,
 * `broken` failed and `after-broken` is out of play, `asking` waits in its call, `person` waits, the
 * attempt of `stopped` is stopping, and `queued` is in the queue. The coordinator is stopped then.
 */
export async function makeBusyState(db: Db): Promise<BusyState> {
  const it = createCoordinator({ db, log: quiet, engines: ['shell', 'claude'], ...patient });
  await it.start();
  try {
    return await drive(it);
  } finally {
    await it.stop();
  }
}

async function drive(it: Coordinator): Promise<BusyState> {
  const project = `prj_${randomUUID().slice(0, 8)}`;
  const worker = await addWorker(it, project, 'hand', 8);
  const epochs = new Map<string, number>();
  const tasks = new Map<string, string>();
  const taskOf = new Map<string, string>();
  it.onCommitted((events) => {
    for (const { type, taskId, attemptId, data } of events) {
      if (type === 'task.created' && taskId !== null) tasks.set(String(data['key']), taskId);
      if (type === 'attempt.claimed' && attemptId !== null && taskId !== null) {
        epochs.set(attemptId, Number(data['epoch']));
        taskOf.set(attemptId, taskId);
      }
    }
  });
  const { run = '' } = await it.submit({
    type: 'run.create',
    project,
    actor,
    body: runCreate.parse({ goal: 'busy', deliver: 'none', plan: planSchema.parse(PLAN) }),
  });
  const attempts = new Map<string, string>();
  const claim = async (): Promise<void> => {
    const { claimed = [] } = await it.submit({
      type: 'work.dispatch',
      project,
      actor,
      workers: [{ worker, max: 8 }],
    });
    for (const { attempt } of claimed) {
      const key = [...tasks].find(([, id]) => id === taskOf.get(attempt))?.[0] ?? '?';
      attempts.set(key, attempt);
      await it.submit({ ...write(attempt), type: 'attempt.start', body: fence(attempt) });
    }
  };
  const write = (attempt: string) => ({ project, actor, attempt, worker }) as const;
  const fence = (attempt: string) => ({ epoch: epochs.get(attempt) ?? -1 });
  const attemptOf = (key: string): string => attempts.get(key) ?? `no attempt of ${key}`;
  await claim();
  const design = attemptOf('design');
  await it.logs.append({
    attempt: design,
    worker,
    ...fence(design),
    stream: 'stdout',
    offset: 0,
    data: Buffer.from('one\n'),
  });
  await it.logs.append({
    attempt: design,
    worker,
    ...fence(design),
    stream: 'stdout',
    offset: 4,
    data: Buffer.from('two\n'),
  });
  await it.submit({
    ...write(design),
    type: 'attempt.artifact',
    body: {
      ...fence(design),
      name: 'work.patch',
      kind: 'patch',
      media_type: 'text/x-diff',
      size: BUSY_ARTIFACT.length,
      sha256: createHash('sha256').update(BUSY_ARTIFACT).digest('hex'),
      meta: {},
    },
    stored: true,
  });
  await it.submit({
    ...write(design),
    type: 'attempt.output',
    body: { ...fence(design), key: 'api', data: { ok: true } },
  });
  await it.submit({
    ...write(design),
    type: 'attempt.complete',
    body: { ...fence(design), result: { status: 'success', summary: 'designed' } },
  });
  await it.submit({
    ...write(attemptOf('broken')),
    type: 'attempt.fail',
    body: { ...fence(attemptOf('broken')), reason: 'broken', failure_class: 'agent_error' },
  });
  await it.submit({
    ...write(attemptOf('asking')),
    type: 'attempt.checkpoint',
    body: {
      ...fence(attemptOf('asking')),
      kind: 'question',
      question: 'Go on?',
      context: null,
      options: ['yes', 'no'],
      freeform: false,
      on_timeout: 'keep_waiting',
      answer_by: 'human',
      resume: 'live',
    },
  });
  await it.submit({
    type: 'task.note',
    project,
    actor,
    task: tasks.get('build') ?? '',
    text: 'Mind the gap.',
    urgent: false,
  });
  await it.submit({
    type: 'task.cancel',
    project,
    actor,
    task: tasks.get('stopped') ?? '',
    reason: null,
  });
  await claim();
  return { project, worker, run, tasks, attempts };
}
