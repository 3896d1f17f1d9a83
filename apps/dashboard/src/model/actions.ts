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
  if (TASK_MACHINE[task.status].redo.length > 0) return undefined;
  return S.disabled.retry(S.taskStatus[task.status]);
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
