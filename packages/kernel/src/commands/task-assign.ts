import { isTerminalTask } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { needsIdOf } from '../matching/hard-needs.ts';
import { row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { TaskRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import { holdNow, putReady } from '../task/make-ready.ts';
import type { Handler } from './handler.ts';

/** Gives a task to one worker by name, or (null) to whoever fits. */
export const taskAssign: Handler<'task.assign'> = (draft, command) => {
  const task = draft.own('tasks', command.task);
  if (task === null) return refuse('not_found', `There is no task ${command.task}.`);
  const name = command.worker;
  const reply = { task: task.id, run: task.runId };
  const fault = name === null ? null : checkName(draft, name);
  if (fault !== null) return fault;
  if (task.status === 'running' || task.status === 'verifying' || isTerminalTask(task.status)) {
    return name !== null && isWith(draft, task, name)
      ? { ...reply, already: true }
      : refuseMoved(draft, task);
  }
  if (task.assignedWorker === name) return { ...reply, already: true };
  draft.load([row('taskSpecs', task.id), row('runs', task.runId)]);
  const { spec } = draft.get('taskSpecs', task.id);
  const needsId = needsIdOf(draft, spec, name);
  const by = draft.actor.name ?? draft.actor.id ?? draft.actor.kind;
  draft.event(
    'task.assignment_changed',
    { run: task.runId, task: task.id },
    {
      worker_name: name,
      by,
    },
  );
  const changed = changeTask(draft, task.id, { assignedWorker: name, needsId });
  if (task.status === 'ready') requeue(draft, changed, holdNow(draft, changed, spec.dispatch));
  return reply;
};

/** A ready task gets its place in the queue of its new needs. A backoff goes on. */
function requeue(draft: Draft, task: TaskRow, hold: string | null): void {
  const held = task.retryAtMs === null ? hold : task.reason;
  if (draft.get('ready', task.id).held !== held) {
    changeTask(draft, task.id, { reason: held });
    draft.event('task.ready', { run: task.runId, task: task.id }, { reason: held });
  }
  putReady(draft, { ...task, reason: held }, held);
}

function checkName(draft: Draft, name: string): Refused | null {
  if (draft.list('workerByName', `${draft.project}/${name}`).length > 0) return null;
  const known = draft
    .list('workersOfProject', draft.project)
    .map((it) => it.name)
    .sort();
  const list = known.length === 0 ? 'There are no workers yet.' : `Known: ${known.join(', ')}.`;
  return refuse('unknown_worker', `There is no worker ${name}. ${list}`, { worker: name, known });
}

function isWith(draft: Draft, task: TaskRow, name: string): boolean {
  if (isTerminalTask(task.status) || task.workerId === null) return false;
  return draft.find('workers', task.workerId)?.name === name;
}

function refuseMoved(draft: Draft, task: TaskRow): Refused {
  const worker = task.workerId === null ? null : draft.find('workers', task.workerId);
  const where = worker === null ? '' : ` on ${worker.name}`;
  return refuse(
    'wrong_status',
    `Task ${task.key} is ${task.status}${where}; cancel and retry it to have it done elsewhere.`,
    { status: task.status },
  );
}
