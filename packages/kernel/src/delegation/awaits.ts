import { isTerminalTask, type AwaitStatus, type Command, type Json } from '@baton/contract';
import { continueTask, type Wake } from '../attempt/continuation.ts';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { list, row, rows } from '../need.ts';
import type { AwaitRow, TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { dropTimers } from '../timer.ts';
import { conclusionsOf, isOver } from './conclusions.ts';

/** Why a task waits whose agent awaits others. */
export const AWAITING = 'await';

/** Writes an await; its run knows how many there are to be looked at. */
export function putAwait(draft: Draft, before: AwaitRow | null, after: AwaitRow): void {
  if (before === null) draft.create('awaits', after);
  else draft.put('awaits', after);
  const was = before === null || before.settled ? 0 : 1;
  const is = after.settled ? 0 : 1;
  if (was === is) return;
  const run = draft.get('runs', after.runId);
  draft.put('runs', { ...run, openAwaits: run.openAwaits + is - was });
}

/**
 * Looks at the awaits of a run after whatever a command did to it: resumes agents that have what they
 * wait for or whose time is up, adds what ended since to what was not taken up yet, and closes those
 * whose task waits no more. Reads nothing in a run without awaits.
 */
export function checkAwaits(draft: Draft, runId: string): void {
  if (draft.get('runs', runId).openAwaits === 0) return;
  draft.load([list('awaitsOfRun', runId)]);
  const awaits = draft.list('awaitsOfRun', runId);
  draft.load(
    rows(
      'tasks',
      awaits.flatMap((it) => [it.taskId, ...it.tasks]),
    ),
  );
  for (const it of awaits) {
    if (it.status === 'open') checkOpen(draft, it);
    else checkDelivered(draft, it);
  }
}

function checkOpen(draft: Draft, it: AwaitRow): void {
  const task = draft.find('tasks', it.taskId);
  const isSame = task !== null && task.generation === it.generation;
  // Looked at again when the task is resumed.
  if (isSame && task.status === 'paused' && task.pausedFrom === 'waiting') return;
  if (!isSame || task.status !== 'waiting' || task.reason !== AWAITING) {
    close(draft, it, 'cancelled');
    return;
  }
  if (endedOf(draft, it) >= it.needed) wake(draft, it, 'met');
  else if (it.deadlineAtMs <= draft.nowMs) wake(draft, it, 'expired');
}

/** What ended between the delivery and the moment an agent takes it up is delivered with it. */
function checkDelivered(draft: Draft, it: AwaitRow): void {
  const task = draft.find('tasks', it.taskId);
  // What has ended takes nothing up any more.
  if (task === null || isTerminalTask(task.status) || !isWakeOf(task, it)) {
    putAwait(draft, it, { ...it, settled: true });
    return;
  }
  const told = it.results.filter((one) => isTerminalTask(one.status)).length;
  const ended = it.tasks.filter((id) => {
    const awaited = draft.find('tasks', id);
    return awaited !== null && isTerminalTask(awaited.status);
  }).length;
  if (ended === told) return;
  const results = conclusionsOf(draft, it.tasks);
  const partial = it.partial && endedOf(draft, it) < it.needed;
  putAwait(draft, it, { ...it, results, partial });
  changeTask(draft, task.id, { wake: wakeOf({ ...it, results, partial }) });
}

/** Resumes the agent that waits with what has arrived. */
export function wake(
  draft: Draft,
  it: AwaitRow,
  status: Extract<AwaitStatus, 'met' | 'expired' | 'cancelled'>,
): void {
  const { taskId, runId } = it;
  const task = draft.get('tasks', taskId);
  draft.load([
    row('taskSpecs', taskId),
    ...rows('attempts', [task.continueAttemptId, task.attemptId]),
    row('ready', taskId),
    list('timersOfTask', taskId),
  ]);
  const results = conclusionsOf(draft, it.tasks);
  const partial = endedOf(draft, it) < it.needed;
  const after = { ...it, status, results, partial, closedAtMs: draft.nowMs };
  putAwait(draft, it, after);
  dropTimers(draft, taskId, ['await_deadline']);
  const about = { run: runId, task: taskId };
  draft.event('task.woken', about, {
    await: it.id,
    partial,
    ended: endedOf(draft, it),
    needed: it.needed,
  });
  const cold = draft.get('taskSpecs', taskId);
  draft.put('taskSpecs', { ...cold, wakes: cold.wakes + 1 });
  draft.event('task.resumed', about, {});
  continueTask(draft, taskId, 'resume', wakeOf(after));
}

/** Ends an await that delivers nothing. */
export function close(
  draft: Draft,
  it: AwaitRow,
  status: Extract<AwaitStatus, 'cancelled' | 'replaced'>,
): void {
  putAwait(draft, it, { ...it, status, settled: true, closedAtMs: draft.nowMs });
  dropTimers(draft, it.taskId, ['await_deadline']);
  draft.event('task.await_closed', { run: it.runId, task: it.taskId }, { await: it.id, status });
}

/** The open await of a task, if it has one. Loads its awaits. */
export function openAwaitOf(draft: Draft, taskId: string): AwaitRow | null {
  return draft.list('awaitsOfTask', taskId).find((it) => it.status === 'open') ?? null;
}

function endedOf(draft: Draft, it: AwaitRow): number {
  return it.tasks.filter((id) => isOver(draft.find('tasks', id))).length;
}

function isWakeOf(task: TaskRow, it: AwaitRow): boolean {
  const { wake: told } = task;
  return (
    typeof told === 'object' && told !== null && !Array.isArray(told) && told['await'] === it.id
  );
}

function wakeOf(it: AwaitRow): Wake {
  const results = it.results as unknown as Json;
  return { kind: 'await', await: it.id, status: it.status, partial: it.partial, results };
}

/** What a person says to a task lets its agent await others as often again as it may without one. */
export function noteHumanTurn(draft: Draft, command: Command, reply: Reply): void {
  const isHuman = command.actor.kind === 'user' || command.actor.kind === 'key';
  const isSaid = /^(task|checkpoint)\.(?!create)/.test(command.type);
  if (!isHuman || !isSaid || reply.task === undefined) return;
  const cold = draft.find('taskSpecs', reply.task);
  if (cold !== null && cold.wakes > 0) draft.put('taskSpecs', { ...cold, wakes: 0 });
}
