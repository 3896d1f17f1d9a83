import { isTerminalTask, LIMITS, neededEnds, type CommandOf } from '@baton/contract';
import { fence, staleEpoch } from '../attempt/fence.ts';
import { yieldAttempt } from '../attempt/yield-attempt.ts';
import { AWAITING, close, openAwaitOf, putAwait } from '../delegation/awaits.ts';
import { conclusionsOf, isOver } from '../delegation/conclusions.ts';
import type { Draft } from '../draft.ts';
import { findPath } from '../graph/find-path.ts';
import { isoOf } from '../iso-time.ts';
import { list, row, rows } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow, AwaitRow } from '../rows.ts';
import { moveTask } from '../task/change-task.ts';
import { setTimer } from '../timer.ts';
import type { Handler } from './handler.ts';

/**
 * The agent waits for tasks it handed on. What has come to pass is answered at once; else its turn
 * ends, its slot is free, and its task goes on in the same conversation once the await is over. Said
 * again it is the same await; other words replace it.
 */
export const awaitOpen: Handler<'await.open'> = (draft, command) => {
  const attempt = fence(draft, command, true);
  if ('refused' in attempt) return attempt;
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  draft.load([
    row('runs', attempt.runId),
    row('taskSpecs', attempt.taskId),
    list('childrenOfTask', attempt.taskId),
    list('awaitsOfTask', attempt.taskId),
  ]);
  const ids = awaitedIds(draft, attempt, command.body.ids);
  if ('refused' in ids) return ids;
  const known = openAwaitOf(draft, attempt.taskId);
  const isYielding = attempt.status === 'stopping' && attempt.reason === AWAITING && known !== null;
  if (isYielding && isSame(known, ids, command)) {
    return { ...reply, await: known.id, yields: true, already: true };
  }
  if (attempt.status === 'stopping' && !isYielding) {
    return staleEpoch(draft, attempt, command.body.epoch);
  }
  if (attempt.status !== 'running' && !isYielding) {
    const words = `Attempt ${attempt.id} is ${attempt.status}; it can await others while it runs.`;
    return refuse('wrong_status', words);
  }
  const needed = neededEnds(command.body.policy, command.body.quorum, ids.length);
  const ended = ids.filter((id) => isOver(draft.find('tasks', id))).length;
  if (ended >= needed && !isYielding) {
    return { ...reply, results: conclusionsOf(draft, ids) };
  }
  const fault = waitFault(draft, attempt, ids);
  if (fault !== null) return fault;
  if (known !== null) close(draft, known, 'replaced');
  const opened = open(draft, attempt, ids, Math.max(1, needed), command);
  if (!isYielding) park(draft, attempt);
  return { ...reply, await: opened.id, yields: true };
};

/** The tasks that are meant, each once: those named, or every own child that has not ended. */
function awaitedIds(
  draft: Draft,
  attempt: AttemptRow,
  named: readonly string[],
): string[] | Refused {
  const children = draft.list('childrenOfTask', attempt.taskId).map((it) => it.taskId);
  draft.load(rows('tasks', children));
  if (named.length === 0) {
    return children
      .filter((id) => !isOver(draft.get('tasks', id)))
      .slice(0, LIMITS.awaitedTasksMax);
  }
  const foreign = named.filter((id) => !children.includes(id));
  if (foreign.length > 0) {
    return refuse(
      'unknown_task',
      `An agent awaits tasks that its own task handed on, and ${foreign.join(', ')} ` +
        `${foreign.length === 1 ? 'is' : 'are'} not among them.`,
      { tasks: foreign },
    );
  }
  return [...new Set(named)];
}

function isSame(known: AwaitRow, ids: readonly string[], { body }: CommandOf<'await.open'>) {
  return (
    known.policy === body.policy &&
    known.quorum === (body.quorum ?? null) &&
    known.tasks.length === ids.length &&
    known.tasks.every((id) => ids.includes(id))
  );
}

/** Waiting that could not come to an end, or that goes on without people for too long. */
function waitFault(draft: Draft, attempt: AttemptRow, ids: readonly string[]): Refused | null {
  const { wakes } = draft.get('taskSpecs', attempt.taskId);
  if (wakes >= LIMITS.wakesPerHumanTurnMax) {
    return refuse(
      'limit_exceeded',
      `This task was resumed ${wakes} times since a person had a say in it ` +
        '(wakesPerHumanTurnMax); wait with `baton task wait`, or ask a person.',
      { limit: 'wakesPerHumanTurnMax', max: LIMITS.wakesPerHumanTurnMax },
    );
  }
  const blocked = ids.filter((id) => draft.find('tasks', id)?.status === 'blocked');
  if (blocked.length === 0) return null;
  draft.load([list('dependenciesOfRun', attempt.runId)]);
  const edges = draft.list('dependenciesOfRun', attempt.runId);
  const path = blocked
    .map((id) => findPath(edges, attempt.taskId, id))
    .find((found) => found !== null);
  if (path === undefined || path === null) return null;
  draft.load(rows('tasks', path));
  const keys = path.map((id) => draft.get('tasks', id).key);
  return refuse('cycle', `This task cannot await what waits for it: ${keys.join(' -> ')}.`, {
    path: keys,
  });
}

function open(
  draft: Draft,
  attempt: AttemptRow,
  ids: readonly string[],
  needed: number,
  { body }: CommandOf<'await.open'>,
): AwaitRow {
  const opened: AwaitRow = {
    id: draft.newId('await'),
    projectId: attempt.projectId,
    runId: attempt.runId,
    taskId: attempt.taskId,
    attemptId: attempt.id,
    generation: attempt.generation,
    tasks: ids,
    crossesRuns: ids.some((id) => draft.find('tasks', id)?.runId !== attempt.runId),
    policy: body.policy,
    quorum: body.quorum ?? null,
    needed,
    status: 'open',
    settled: false,
    partial: false,
    results: [],
    deadlineAtMs: Math.round(draft.nowMs + body.timeout * 1_000),
    openedAtMs: draft.nowMs,
    closedAtMs: null,
  };
  putAwait(draft, null, opened);
  setTimer(draft, draft.get('tasks', attempt.taskId), {
    kind: 'await_deadline',
    dueAtMs: opened.deadlineAtMs,
    guard: attempt.generation,
  });
  const about = { run: attempt.runId, task: attempt.taskId, attempt: attempt.id };
  draft.event('task.awaiting', about, {
    await: opened.id,
    tasks: ids.filter((id) => !isTerminalTask(draft.get('tasks', id).status)),
    policy: opened.policy,
    needed,
    reason: AWAITING,
    deadline_at: isoOf(opened.deadlineAtMs),
  });
  draft.touchRun(attempt.runId);
  return opened;
}

/** The agent ends its turn by itself; its task waits without a slot. */
function park(draft: Draft, attempt: AttemptRow): void {
  yieldAttempt(draft, attempt, 'ended', AWAITING, true);
  moveTask(draft, attempt.taskId, 'park', 'waiting', { reason: AWAITING });
}
