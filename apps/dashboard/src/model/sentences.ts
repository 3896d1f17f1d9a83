import {
  isTerminalRun,
  type Checkpoint,
  type Dependency,
  type Run,
  type Task,
} from '@baton/contract';
import { listText, plural, relativeText } from './format.ts';
import { S } from '../strings.ts';
import { downstreamOf } from './actions.ts';

/** What is around a task that its sentence needs. */
export interface Surroundings {
  readonly tasks: readonly Task[];
  readonly edges: readonly Dependency[];
  readonly checkpoint: Checkpoint | undefined;
  readonly nowMs: number;
}

/** Tasks that `id` still waits for. */
export function waitsFor(
  id: string,
  tasks: readonly Task[],
  edges: readonly Dependency[],
): readonly Task[] {
  const open = new Set(
    edges
      .filter(
        ({ downstream, satisfied, type }) => downstream === id && !satisfied && type !== 'related',
      )
      .map(({ upstream }) => upstream),
  );
  return tasks.filter((task) => open.has(task.id));
}

/** One sentence that tells why a task stands where it stands, and since when. */
export function taskSentence(task: Task, around: Surroundings): string {
  const since = relativeText(Date.parse(task.updated_at), around.nowMs);
  switch (task.status) {
    case 'blocked':
      return blockedSentence(task, around);
    case 'awaiting_approval':
    case 'waiting':
      return waitingSentence(task, around);
    case 'ready':
      return readySentence(task, around.nowMs);
    case 'running':
      return runningSentence(task, around.nowMs);
    case 'verifying':
      return `Its result is being verified, since ${since}.`;
    case 'paused':
      return `Paused ${since}${because(task.reason)}.`;
    case 'completed':
      return `Completed ${endedText(task, around.nowMs)}${task.outdated ? '; an earlier task was redone since, so this may be outdated' : ''}.`;
    case 'failed':
      return `Failed ${endedText(task, around.nowMs)}${task.failure_class === null ? '' : ` (${task.failure_class})`}${because(task.reason)}.`;
    case 'cancelled':
      return `Cancelled ${endedText(task, around.nowMs)}${because(task.reason)}.`;
    case 'skipped':
      return `Skipped${because(task.reason)}.`;
    case 'superseded':
      return 'A newer plan put another task in its place.';
  }
}

function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${reason}`;
}

function endedText(task: Task, nowMs: number): string {
  return relativeText(Date.parse(task.ended_at ?? task.updated_at), nowMs);
}

function blockedSentence(task: Task, { tasks, edges }: Surroundings): string {
  if (task.reason !== null && task.reason !== '') return `Out of play: ${task.reason}.`;
  const open = waitsFor(task.id, tasks, edges);
  const all = edges.filter((edge) => edge.downstream === task.id && edge.type !== 'related');
  if (open.length === 0) return 'Waits for an earlier task.';
  const done = all.length > 1 ? ` (${all.length - open.length} of ${all.length} done)` : '';
  return `Waits for ${listText(open.map(({ key }) => key))}${done}.`;
}

function waitingSentence(task: Task, { tasks, edges, checkpoint, nowMs }: Surroundings): string {
  const behind = downstreamOf(task.id, tasks, edges).length;
  const tail =
    behind === 0 ? '' : `; ${behind === 1 ? '1 task waits' : `${behind} tasks wait`} behind it`;
  const since = relativeText(Date.parse(checkpoint?.opened_at ?? task.updated_at), nowMs);
  const kind = checkpoint?.kind ?? (task.status === 'waiting' ? 'question' : 'dispatch_approval');
  return `Waits for your ${S.waitsForYour[kind]}, asked ${since}${tail}.`;
}

function readySentence(task: Task, nowMs: number): string {
  if (task.retry_at !== null && Date.parse(task.retry_at) > nowMs) {
    return `Tried again ${relativeText(Date.parse(task.retry_at), nowMs)}${because(task.reason)}.`;
  }
  if (task.spec.dispatch === 'manual' && task.assigned_worker === null) {
    return 'Waits until somebody assigns it to a worker.';
  }
  const pinned = task.assigned_worker ?? task.spec.needs.worker;
  return pinned === undefined || pinned === null
    ? 'Ready: goes to the next worker that fits.'
    : `Ready: waits for a free slot on ${pinned}.`;
}

function runningSentence(task: Task, nowMs: number): string {
  const at = task.worker_name === null ? '' : ` on ${task.worker_name}`;
  const started = Date.parse(task.started_at ?? task.updated_at);
  const said = task.progress?.text;
  const tail = said === undefined || said === '' ? '' : `: ${said}`;
  return `Running${at}, started ${relativeText(started, nowMs)}${tail}.`;
}

/** One sentence about a whole run: what moves, what waits, or how it ended. */
export function runSentence(run: Run, nowMs: number): string {
  const counts = run.tasks_by_status;
  if (isTerminalRun(run.status)) return endedSentence(run, nowMs);
  if (run.status === 'cancelling') return 'Being cancelled: live agents are stopped first.';
  const parts = [
    part(counts.running, 'agent works', 'agents work'),
    part(counts.verifying, 'result is verified', 'results are verified'),
    part(run.needs_human, 'thing waits for you', 'things wait for you'),
    part(counts.ready, 'task is ready for a worker', 'tasks are ready for a worker'),
    part(counts.blocked, 'task waits for others', 'tasks wait for others'),
  ].filter((it) => it !== undefined);
  const text = parts.length === 0 ? 'nothing moves' : parts.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function part(count: number | undefined, one: string, many: string): string | undefined {
  return count === undefined || count === 0 ? undefined : plural(count, one, many);
}

function endedSentence(run: Run, nowMs: number): string {
  const when = relativeText(Date.parse(run.ended_at ?? run.updated_at), nowMs);
  const word = S.runStatus[run.status];
  const head = `${word.charAt(0).toUpperCase()}${word.slice(1)} ${when}`;
  const counts = run.tasks_by_status;
  const rest = [
    part(counts.failed, 'task failed', 'tasks failed'),
    part(counts.skipped, 'task was skipped', 'tasks were skipped'),
  ].filter((it) => it !== undefined);
  const why = because(run.reason);
  return `${head}${why}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}.`;
}
