import { isOpenAttempt, isTerminalTask, type Command } from '@baton/contract';
import type { Decision } from '../decision.ts';
import type { Change } from '../world.ts';
import type { MemoryWorld } from './memory-world.ts';

type Accepted = Extract<Decision, { kind: 'accepted' }>;

/** Everything that is wrong with a step from a stored state; empty when nothing is. */
export function stepFaults(world: MemoryWorld, decision: Accepted, command: Command): string[] {
  const faults = decision.changes.flatMap((change) => changeFaults(world, decision, change));
  if (decision.events.length > 0 && decision.changes.length === 0)
    faults.push('told, and changed nothing');
  return [...faults, ...seqFaults(world, decision)].map((it) => `${command.type}: ${it}`);
}

function changeFaults(world: MemoryWorld, decision: Accepted, change: Change): string[] {
  const { row } = change;
  if (change.table === 'tasks' && row !== null) {
    return taskFaults(world, decision, change);
  }
  if (change.table === 'checkpoints' && change.row !== null) {
    const before = world.row('checkpoints', change.id);
    const isDecided = before !== null && before.status !== 'open';
    if (
      isDecided &&
      JSON.stringify({ ...change.row, runId: '' }) !== JSON.stringify({ ...before, runId: '' })
    ) {
      return [`checkpoint ${change.id} was decided twice`];
    }
  }
  if (change.table === 'attempts' && change.row !== null) {
    const before = world.row('attempts', change.id);
    if (before === null) {
      const task = world.row('tasks', change.row.taskId);
      const after = decision.changes.find(
        (it) => it.table === 'tasks' && it.id === change.row?.taskId,
      );
      const pending = after?.table === 'tasks' ? after.row?.pending : task?.pending;
      return pending === 0
        ? []
        : [`attempt of ${task?.key ?? '?'} with ${pending ?? '?'} upstreams open`];
    }
    const isOver = !isOpenAttempt(before.status) && before.status !== 'stopping';
    if (isOver && before.status !== change.row.status) {
      return [`attempt ${change.id} ended as ${before.status} and then as ${change.row.status}`];
    }
    if (before.epoch !== change.row.epoch) return [`attempt ${change.id} changed its epoch`];
  }
  return [];
}

function taskFaults(
  world: MemoryWorld,
  decision: Accepted,
  change: Extract<Change, { table: 'tasks' }>,
): string[] {
  const before = world.row('tasks', change.id);
  const after = change.row;
  if (before === null || after === null) return [];
  const faults: string[] = [];
  if (
    isTerminalTask(before.status) &&
    before.deletedAtMs !== null &&
    before.status !== after.status
  )
    faults.push(`${after.key} is deleted and moves`);
  if (after.epoch < before.epoch) faults.push(`epoch of ${after.key} went back`);
  const isRedone = decision.events.some(
    (it) =>
      (it.type === 'task.relaunched' ||
        it.type === 'attempt.adopted' ||
        it.type === 'task.superseded') &&
      it.taskId === change.id,
  );
  if (isTerminalTask(before.status) && before.status !== after.status && !isRedone) {
    faults.push(`${after.key} left ${before.status} for ${after.status}`);
  }
  if (before.status !== after.status && !decision.events.some((it) => it.taskId === change.id)) {
    faults.push(`${after.key} went from ${before.status} to ${after.status} without a word`);
  }
  return faults;
}

/** Events of a run are numbered densely on from its `seq`, which ends at the last one. */
function seqFaults(world: MemoryWorld, decision: Accepted): string[] {
  const seqs = new Map<string, number>();
  for (const event of decision.events) {
    if (event.runId === null) continue;
    const last = seqs.get(event.runId) ?? world.row('runs', event.runId)?.seq ?? 0;
    if (event.runSeq !== last + 1)
      return [`event ${event.type} has run_seq ${event.runSeq ?? '-'} after ${last}`];
    seqs.set(event.runId, last + 1);
  }
  return [...seqs].flatMap(([run, seq]) => {
    const row = decision.changes.find((it) => it.table === 'runs' && it.id === run)?.row;
    return row !== undefined && row !== null && 'seq' in row && row.seq === seq
      ? []
      : [`run ${run} is not at ${seq}`];
  });
}
