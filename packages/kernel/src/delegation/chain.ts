import {
  DEFAULTS,
  isTerminalTask,
  LIMITS,
  refusal,
  type ErrorCode,
  type Refusal,
  type TaskSpec,
} from '@baton/contract';
import type { Draft } from '../draft.ts';
import { isoOf } from '../iso-time.ts';
import { stableJson } from '../json-text.ts';
import { lists, rows } from '../need.ts';
import type { TaskRow, TaskSpecRow } from '../rows.ts';

/**
 * Which work of its parent a task is. Tasks with the same key, or without one with the same words for
 * the same engine, are tries of the same work.
 */
export function chainOf(draft: Draft, key: string | undefined, spec: TaskSpec): string {
  if (key !== undefined) return `key:${key}`;
  const { kind, title = '', spec: words, needs } = spec;
  const said = stableJson({ kind, title, words, engine: needs.engine ?? '' });
  return `spec:${draft.context.sha256(said).slice(0, 32)}`;
}

/** A try of some work, with what is known of it. */
export interface Try {
  readonly task: TaskRow;
  readonly cold: TaskSpecRow;
}

/** The newest of the children of a task that is a try of this work. Loads the children's tasks. */
export function newestTry(
  draft: Draft,
  children: readonly TaskSpecRow[],
  chain: string,
): Try | undefined {
  const tries = children.filter((it) => it.chain === chain);
  draft.load(
    rows(
      'tasks',
      tries.map((it) => it.taskId),
    ),
  );
  return tries
    .map((cold) => ({ task: draft.get('tasks', cold.taskId), cold }))
    .toSorted((a, b) => a.task.position - b.task.position)
    .at(-1);
}

/** Why some work may not be handed on again now, unless it is forced. Null: nothing is against it. */
export function respawnFault(draft: Draft, last: Try): Refusal | null {
  const { task, cold } = last;
  draft.load(rows('attempts', [task.attemptId]));
  const attempt = task.attemptId === null ? null : draft.get('attempts', task.attemptId);
  const said = attempt?.reason ?? task.reason ?? '';
  const about = { previous: task.id, key: task.key };
  const fault = (code: ErrorCode, why: string, more: Record<string, string | number> = {}) =>
    refusal(code, `${why} Force it (--force) to hand it on all the same; that is logged.`, {
      ...about,
      ...more,
    });
  if (cold.failuresInRow >= LIMITS.failuresInRowMax) {
    return fault(
      'breaker_tripped',
      `This work has failed ${cold.failuresInRow} times in a row, last as ${task.key}: ${said}.`,
      { failures: cold.failuresInRow },
    );
  }
  if (attempt?.failureClass === 'rate_limited') {
    const untilMs =
      task.retryAtMs ??
      (attempt.endedAtMs ?? draft.nowMs) + DEFAULTS.rateLimitCooldownSeconds * 1_000;
    if (untilMs > draft.nowMs) {
      const until = isoOf(untilMs);
      const why = `${task.key} met a provider's rate limit; hand it on again after ${until}.`;
      return fault('rate_limit_cooldown', why, { retry_at: until });
    }
  }
  const isBlocked = attempt?.failureClass === 'auth' || attempt?.failureClass === 'quota';
  if (isBlocked && isTerminalTask(task.status)) {
    const why = `${task.key} failed for its credentials or quota (${said}); a person must mend that first.`;
    return fault('blocker_auth', why);
  }
  const sinceMs = draft.nowMs - (task.endedAtMs ?? 0);
  if (task.status === 'completed' && sinceMs < DEFAULTS.recentSuccessSeconds * 1_000) {
    const seconds = Math.round(sinceMs / 1_000);
    return fault(
      'recent_success',
      `${task.key} did this ${seconds} s ago; read its result instead.`,
    );
  }
  return null;
}

/** Counts a failure of handed-on work; tells when the breaker trips. */
export function countFailure(draft: Draft, task: TaskRow): void {
  const cold = draft.get('taskSpecs', task.id);
  if (cold.chain === null) return;
  const failures = cold.failuresInRow + 1;
  draft.put('taskSpecs', { ...cold, failuresInRow: failures });
  if (failures !== LIMITS.failuresInRowMax) return;
  draft.event(
    'task.breaker_tripped',
    { run: task.runId, task: task.id },
    { chain: cold.chain, failures },
  );
}

/** A success ends the row of failures of handed-on work. */
export function clearFailures(draft: Draft, taskId: string): void {
  const cold = draft.get('taskSpecs', taskId);
  if (cold.failuresInRow > 0) draft.put('taskSpecs', { ...cold, failuresInRow: 0 });
}

/** Whether an agent made a task. Its commit is its parent's to use, and is delivered by nobody else. */
export function isHandedOn(cold: Pick<TaskSpecRow, 'origin'>): boolean {
  return cold.origin?.startsWith('att_') === true;
}

/** What the agents of tasks handed on, and theirs, and so on; without the tasks themselves. */
export function handedOnBy(draft: Draft, ids: readonly string[]): string[] {
  const found = new Set(ids);
  for (let level = [...ids]; level.length > 0;) {
    draft.load(lists('childrenOfTask', level));
    level = level
      .flatMap((id) => draft.list('childrenOfTask', id))
      .filter((cold) => isHandedOn(cold) && !found.has(cold.taskId))
      .map((cold) => cold.taskId);
    for (const id of level) found.add(id);
  }
  return [...found].slice(ids.length);
}
