import type { RunPolicy, TaskSpec, TaskStatus } from '@baton/contract';
import { openCheckpoint, tellNeedsHuman } from '../checkpoint/open-checkpoint.ts';
import type { Draft } from '../draft.ts';
import type { TaskRow } from '../rows.ts';
import { isoOf } from '../iso-time.ts';
import { moveTask } from './change-task.ts';
import { makeReady } from './make-ready.ts';

/** Where a task goes when nothing it depends on is open any more. */
export function statusWhenOpen(
  task: Pick<TaskRow, 'kind' | 'approved'>,
  spec: TaskSpec,
  policy: RunPolicy,
): Extract<TaskStatus, 'ready' | 'awaiting_approval' | 'waiting' | 'completed'> {
  if (task.kind === 'join') return 'completed';
  if (task.kind === 'human') return 'waiting';
  return !task.approved && needsApproval(spec, policy) ? 'awaiting_approval' : 'ready';
}

/** Reason of a task that is paused because its run is. */
export const RUN_PAUSED = 'run_paused';

/** Lets a blocked task go on. Answers whether it ended by that, as a `join` does. */
export function openTask(draft: Draft, id: string): boolean {
  const task = draft.get('tasks', id);
  const { spec, title } = draft.get('taskSpecs', id);
  const { policy, status } = draft.get('runs', task.runId);
  const about = { run: task.runId, task: id };
  if (status === 'paused' && task.kind !== 'join') {
    moveTask(draft, id, 'pause', 'paused', { reason: RUN_PAUSED });
    draft.event('task.paused', about, { reason: RUN_PAUSED });
    return false;
  }
  switch (statusWhenOpen(task, spec, policy)) {
    case 'completed':
      moveTask(draft, id, 'open', 'completed', { reason: null, readyAtMs: draft.nowMs });
      draft.event('task.completed', about, { result: { status: 'success', summary: '' } });
      return true;
    case 'waiting': {
      moveTask(draft, id, 'open', 'waiting', {
        reason: 'question',
        readyAtMs: draft.nowMs,
        startedAtMs: draft.nowMs,
      });
      const question = spec.spec === '' ? title : spec.spec;
      tellNeedsHuman(
        draft,
        openCheckpoint(draft, draft.get('tasks', id), {
          kind: 'question',
          question,
          freeform: true,
          timeoutSeconds: spec.timeouts.approval,
          onTimeout: spec.timeouts.approval === undefined ? 'keep_waiting' : 'fail',
          resume: 'new_attempt',
        }),
      );
      return false;
    }
    case 'awaiting_approval':
      moveTask(draft, id, 'open', 'awaiting_approval', { reason: 'dispatch_approval' });
      tellNeedsHuman(draft, openApproval(draft, draft.get('tasks', id), title, spec));
      return false;
    case 'ready':
      makeReady(draft, id, 'open');
      return false;
  }
}

/** Asks whether a task may start. */
export function openApproval(draft: Draft, task: TaskRow, title: string, spec: TaskSpec) {
  return openCheckpoint(draft, task, {
    kind: 'dispatch_approval',
    question: `Start ${task.key}: ${title}?`,
    context: { key: task.key, title, spec: spec.spec, at: isoOf(draft.nowMs) },
    options: ['approve', 'reject'],
    timeoutSeconds: spec.timeouts.approval,
    onTimeout: spec.timeouts.approval === undefined ? 'keep_waiting' : 'fail',
    resume: 'new_attempt',
  });
}

function needsApproval(spec: TaskSpec, policy: RunPolicy): boolean {
  if (spec.approval?.dispatch === true) return true;
  const rule = policy.require_dispatch_approval;
  if (typeof rule === 'string') return rule === 'always';
  const engine = spec.needs.engine ?? (spec.kind === 'command' ? 'shell' : undefined);
  return (
    (spec.role !== undefined && rule.roles?.includes(spec.role) === true) ||
    (engine !== undefined && rule.engines?.includes(engine) === true) ||
    (rule.labels !== undefined &&
      Object.entries(rule.labels).every(([key, value]) => spec.labels[key] === value))
  );
}
