import {
  attemptAwait,
  taskCreate,
  type Actor,
  type AttemptAwait,
  type AttemptCheckpoint,
  type AttemptFail,
  type AttemptProgress,
  type Command,
  type TaskCreate,
  type TaskResult,
} from '@baton/contract';
import type { CountedCommand } from '../edge.ts';
import type { Rng } from '../rng.ts';

const FAILURES = [
  'agent_error',
  'agent_error',
  'workspace',
  'environment',
  'rate_limited',
  'auth',
  'internal',
  'timeout',
] as const;

/** How far an agent has come and what it cost, the nearer to its end the more. */
export function newsOf(rng: Rng, left: number): Omit<AttemptProgress, 'epoch'> {
  const tokens = 10 - left;
  return {
    progress: { text: `step ${left}`, percent: rng.int(100) },
    usage: {
      input_tokens: tokens,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      usd: `0.${tokens}`,
    },
  };
}

/** A question with two answers, often with a deadline. */
export function questionOf(rng: Rng): Omit<AttemptCheckpoint, 'epoch' | 'client_id'> {
  const deadline = {
    timeout_seconds: 5 + rng.int(60),
    ...(rng.chance(0.7) ? { default: 'left' } : { on_timeout: 'fail' as const }),
  };
  return {
    kind: 'question',
    question: 'Which way?',
    context: null,
    options: ['left', 'right'],
    answer_by: 'human',
    resume: rng.pick(['live', 'live', 'held', 'new_attempt'] as const),
    ...(rng.chance(0.6) ? deadline : {}),
  };
}

/** A task that an agent hands on. */
export function childOf(rng: Rng, left: number): TaskCreate {
  const kind = rng.pick([{}, {}, { kind: 'command' as const, spec: 'true' }]);
  const key = rng.chance(0.5) ? { key: `child${left}` } : {};
  return taskCreate.parse({ ...kind, ...key, lease_seconds: 30 });
}

/** A wait for the children of a task, under some rule, for some minutes at most. */
export function awaitOf(rng: Rng, epoch: number): AttemptAwait {
  const rule = rng.pick([
    { policy: 'all' },
    { policy: 'any' },
    { policy: 'quorum', quorum: 2 },
  ] as const);
  return attemptAwait.parse({ epoch, ...rule, timeout: 20 + rng.int(300) });
}

/** A result: below 65 a success, below 75 partial, else failed; with data for some contracts. */
export function resultOf(roll: number, epoch: number, keys: readonly string[]): TaskResult {
  return {
    status: roll < 65 ? 'success' : roll < 75 ? 'partial' : 'failed',
    summary: `ended ${roll}`,
    contracts: Object.fromEntries(keys.map((key) => [key, `result of ${epoch}`])),
    ...(roll % 2 === 0 ? { commit: { repo: 'r', base: 'base0', commit: `c${epoch}` } } : {}),
  };
}

/** A failure of some class. */
export function failureOf(rng: Rng, epoch: number, nowMs: number): AttemptFail {
  const failure_class = rng.pick(FAILURES);
  const retry_at = new Date(nowMs + 30_000).toISOString();
  const body = { epoch, reason: 'broke', failure_class };
  return failure_class === 'rate_limited' ? { ...body, retry_at } : body;
}

/** What a liar may say of an attempt. */
export function liesOf(
  base: { project: string; actor: Actor; attempt: string; worker: string },
  epoch: number,
): CountedCommand[] {
  const result: TaskResult = { status: 'success', summary: 'a lie' };
  return [
    { ...base, type: 'attempt.complete', body: { epoch, result } },
    {
      ...base,
      type: 'attempt.fail',
      body: { epoch, reason: 'a lie', failure_class: 'agent_error' },
    },
    { ...base, type: 'attempt.progress', body: { epoch, progress: { text: 'a lie' } } },
    { ...base, type: 'attempt.output', body: { epoch, key: 'x', data: 'a lie' } },
    { ...base, type: 'attempt.start', body: { epoch } },
    { ...base, type: 'attempt.release', body: { epoch } },
  ];
}

/** Whether a command says that an attempt is over. */
export function isReport(command: Command): boolean {
  return (
    command.type === 'attempt.complete' ||
    command.type === 'attempt.fail' ||
    command.type === 'attempt.release'
  );
}
