import { isTerminalTask, type Dependency, type Run, type Scope, type Task } from '@baton/contract';
import { RUN_MACHINE, TASK_MACHINE } from '@baton/kernel';
import { S } from '../strings.ts';
import { listText, plural } from './format.ts';

/** Why an action cannot work now; undefined when it can. */
export type Why = string | undefined;

/** What the caller may do; unknown until the server has said so, and then nothing is withheld. */
export type Scopes = readonly string[] | undefined;

function mayNot(scopes: Scopes, scope: Scope): boolean {
  return scopes !== undefined && !scopes.includes(scope);
}

/** Whether a run can be cancelled, by the same table the server decides with. */
export function whyNotCancelRun(run: Run, scopes: Scopes): Why {
  if (mayNot(scopes, 'operate')) return S.disabled.readOnly;
  if (run.status === 'cancelling') return S.disabled.cancelling;
  if (RUN_MACHINE[run.status].cancel.length > 0) return undefined;
  return S.disabled.cancel(S.runStatus[run.status]);
}

/** Whether a task can be cancelled. */
export function whyNotCancelTask(task: Task, scopes: Scopes): Why {
  if (mayNot(scopes, 'operate')) return S.disabled.readOnly;
  if (TASK_MACHINE[task.status].cancel.length > 0) return undefined;
  return S.disabled.cancel(S.taskStatus[task.status]);
}

/** Whether a task can run again. */
export function whyNotRetryTask(task: Task, scopes: Scopes): Why {
  if (mayNot(scopes, 'run')) return S.disabled.readOnly;
  if (isTerminalTask(task.status)) return undefined;
  return S.disabled.retry(S.taskStatus[task.status]);
}

/** Whether a run can be paused. */
export function whyNotPauseRun(run: Run, scopes: Scopes): Why {
  if (mayNot(scopes, 'operate')) return S.disabled.readOnly;
  if (RUN_MACHINE[run.status].pause.length > 0) return undefined;
  return S.disabled.pause(S.runStatus[run.status]);
}

/** Whether a task can be paused. */
export function whyNotPauseTask(task: Task, scopes: Scopes): Why {
  if (mayNot(scopes, 'operate')) return S.disabled.readOnly;
  if (task.verifies !== null) return S.disabled.check;
  if (TASK_MACHINE[task.status].pause.length === 0) {
    return S.disabled.pause(S.taskStatus[task.status]);
  }
  const isOutOfPlay = task.status === 'blocked' && task.reason?.includes('_failed:') === true;
  return isOutOfPlay ? S.disabled.outOfPlay : undefined;
}

/** Whether what is paused can go on. */
export function whyNotResumeTask(run: Run, scopes: Scopes): Why {
  if (mayNot(scopes, 'operate')) return S.disabled.readOnly;
  return run.status === 'paused' ? S.disabled.runPaused : undefined;
}

/** Whether a task can be put back to its start. */
export function whyNotRelaunchTask(task: Task, run: Run, scopes: Scopes): Why {
  if (mayNot(scopes, 'run')) return S.disabled.readOnly;
  if (task.verifies !== null) return S.disabled.check;
  return run.status === 'cancelling' ? S.disabled.runCancelling : undefined;
}

/** Whether a task's work can be reviewed. */
export function whyNotReviewTask(task: Task, scopes: Scopes): Why {
  if (mayNot(scopes, 'approve')) return S.disabled.readOnly;
  if (task.verifies !== null) return S.disabled.check;
  const isFinished = task.status === 'completed' || task.status === 'failed';
  return isFinished ? undefined : S.disabled.review(S.taskStatus[task.status]);
}

/** Whether a checkpoint can be decided by this caller. */
export function whyNotDecide(scopes: Scopes): Why {
  return mayNot(scopes, 'approve') ? S.disabled.readOnly : undefined;
}

/** Tasks that depend on the success of `from`, however far behind it. */
export function downstreamOf(
  from: string,
  tasks: readonly Task[],
  edges: readonly Dependency[],
): readonly Task[] {
  const found = new Set<string>();
  const queue = [from];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const edge of edges) {
      const counts = edge.type !== 'related' && edge.on === 'success';
      if (!counts || edge.upstream !== id || found.has(edge.downstream)) continue;
      found.add(edge.downstream);
      queue.push(edge.downstream);
    }
  }
  return tasks.filter(({ id }) => found.has(id));
}

/** What is lost when a run is cancelled now. */
export function lossOfCancellingRun(run: Run, tasks: readonly Task[]): string {
  const stopped = tasks.filter(({ status }) => status === 'running' || status === 'verifying');
  const open = tasks.filter(({ status }) => !isTerminalTask(status)).length - stopped.length;
  const parts = [
    stopped.length === 0
      ? undefined
      : `${plural(stopped.length, 'agent is', 'agents are')} stopped in the middle of ${listText(stopped.map(({ key }) => key))}`,
    open === 0 ? undefined : `${plural(open, 'task')} will never start or go on`,
  ].filter((part) => part !== undefined);
  const lost = parts.length === 0 ? 'Nothing is at work' : parts.join('; ');
  const kept = run.tasks_by_status.completed ?? 0;
  return `${lost}. ${kept === 0 ? 'Nothing is finished yet.' : `The work of ${plural(kept, 'finished task')} is kept.`}`;
}

/** What is lost when a task is cancelled now. */
export function lossOfCancellingTask(
  task: Task,
  tasks: readonly Task[],
  edges: readonly Dependency[],
): string {
  const behind = downstreamOf(task.id, tasks, edges).filter(
    ({ status }) => !isTerminalTask(status),
  );
  const working = task.status === 'running' || task.status === 'verifying';
  const own = working
    ? 'Its agent is stopped; what it has not handed in is lost.'
    : 'It will not start or go on.';
  return behind.length === 0
    ? own
    : `${own} ${plural(behind.length, 'task')} behind it ${behind.length === 1 ? 'is' : 'are'} cancelled too: ${listText(behind.map(({ key }) => key))}.`;
}

/** What happens when a task is paused now. */
export function lossOfPausingTask(task: Task): string {
  return task.status === 'running' || task.status === 'waiting'
    ? 'Its agent is stopped; resumed, it goes on in the same workspace and conversation where it can.'
    : 'Nobody takes it until it is resumed.';
}

/** What happens when a run is paused now. */
export function lossOfPausingRun(tasks: readonly Task[]): string {
  const working = tasks.filter(({ status }) => status === 'running' || status === 'verifying');
  const kept = 'Nothing starts until it is resumed; questions stay open.';
  return working.length === 0
    ? kept
    : `${plural(working.length, 'agent is', 'agents are')} stopped in the middle of ${listText(working.map(({ key }) => key))}. ${kept}`;
}

/** What is lost when a task is put back to its start. */
export function lossOfRelaunching(
  task: Task,
  tasks: readonly Task[],
  edges: readonly Dependency[],
): string {
  const finished = downstreamOf(task.id, tasks, edges).filter(({ status }) =>
    isTerminalTask(status),
  );
  const own = isTerminalTask(task.status)
    ? 'Its present result is replaced; the next agent is told nothing of it.'
    : 'Its agent is stopped, and the next one is told nothing of what it did.';
  return finished.length === 0
    ? own
    : `${own} ${plural(finished.length, 'later task has', 'later tasks have')} ended already: ${listText(finished.map(({ key }) => key))}.`;
}

/** What happens to finished work when a task runs again. */
export function lossOfRetrying(
  task: Task,
  tasks: readonly Task[],
  edges: readonly Dependency[],
): string {
  const finished = downstreamOf(task.id, tasks, edges).filter(({ status }) =>
    isTerminalTask(status),
  );
  const own =
    task.status === 'completed'
      ? 'Its present result is replaced by the new one.'
      : 'It starts anew; the agent is told how it ended last time.';
  return finished.length === 0
    ? own
    : `${own} ${plural(finished.length, 'later task has', 'later tasks have')} ended already: ${listText(finished.map(({ key }) => key))}.`;
}
