import type { Run, RunExplanation, RunGraph, Task, TaskStatus } from '@baton/contract';
import { block, join, paint, show, stack, type Shown } from '../terminal/shown.ts';
import { statusText } from '../terminal/status-text.ts';
import { facts, table } from '../terminal/table.ts';
import { ago, duration } from '../terminal/time-text.ts';

/** Runs below each other, as they come. */
export function runTable(runs: readonly Run[], nowMs: number, columns: number): Shown {
  return table(
    ['RUN', 'STATUS', 'TASKS', 'UPDATED', 'GOAL'],
    runs.map((run) => [
      run.id,
      run.needs_human > 0
        ? show`${statusText(run.status)} ${paint.yellow('(needs you)')}`
        : statusText(run.status),
      `${run.tasks_by_status.completed ?? 0}/${run.task_count}`,
      ago(run.updated_at, nowMs),
      run.goal,
    ]),
    columns,
  );
}

/** One run with its tasks. */
export function runPage({ run, tasks }: RunGraph, nowMs: number, columns: number): Shown {
  return stack(
    facts([
      ['run', run.id],
      ['goal', run.goal],
      [
        'status',
        run.reason === null
          ? statusText(run.status)
          : show`${statusText(run.status)} (${run.reason})`,
      ],
      ['tasks', countText(run)],
      ['delivery', deliveryText(run)],
      ['spent', run.usd === '0' ? undefined : `$${run.usd}`],
      ['started', ago(run.started_at, nowMs)],
      ['took', tookText(run)],
    ]),
    paint.plain(''),
    taskTable(tasks, nowMs, columns),
  );
}

/** Why a run is where it is. */
export function runExplanationPage(it: RunExplanation): Shown {
  return stack(
    show`${statusText(it.status)} ${it.sentence}`,
    it.next !== null && show`${paint.dim('next')} ${it.next}`,
    ...it.waits_for.map(({ kind, what }) => show`${paint.dim(kind)} ${what}`),
  );
}

/** Tasks below each other, in the order of the plan. */
export function taskTable(tasks: readonly Task[], nowMs: number, columns: number): Shown {
  return table(
    ['TASK', 'STATUS', 'WORKER', 'TIME', 'NOW'],
    tasks.map((task) => [
      task.key,
      statusText(task.status),
      task.worker_name ?? '',
      timeText(task, nowMs),
      nowText(task),
    ]),
    columns,
  );
}

/** `4 completed, 1 running`, in the order of a life. */
export function countText(run: Pick<Run, 'tasks_by_status' | 'task_count'>): Shown {
  const parts = ORDER.flatMap((status) => {
    const count = run.tasks_by_status[status] ?? 0;
    return count === 0 ? [] : [show`${count} ${statusText(status)}`];
  });
  return parts.length === 0 ? show`${run.task_count}` : join(parts, ', ');
}

const ORDER: readonly TaskStatus[] = [
  'completed',
  'running',
  'verifying',
  'waiting',
  'awaiting_approval',
  'ready',
  'blocked',
  'paused',
  'failed',
  'cancelled',
  'skipped',
  'superseded',
];

/** Where the work of a run went, in words; undefined while there is nothing to say. */
export function deliveryText({
  deliver,
  delivery,
}: Pick<Run, 'deliver' | 'delivery'>): Shown | undefined {
  const commit = delivery.commit?.slice(0, 12) ?? '';
  switch (delivery.state) {
    case 'none':
      return undefined;
    case 'pending':
      return show`${deliver} is being made`;
    case 'delivered':
      return show`${paint.green(commit)} ${delivery.detail ?? `is branch ${delivery.branch ?? ''}`}`;
    case 'refused':
      return show`${paint.red('refused')} ${delivery.detail ?? ''}`;
  }
}

function tookText({ started_at, ended_at }: Run): string | undefined {
  if (started_at === null || ended_at === null) return undefined;
  return duration(Date.parse(ended_at) - Date.parse(started_at));
}

function timeText({ started_at, ended_at }: Task, nowMs: number): string {
  if (started_at === null) return '';
  return duration((ended_at === null ? nowMs : Date.parse(ended_at)) - Date.parse(started_at));
}

/** What a task is at, or why it is not: the line people look at. */
function nowText(task: Task): Shown {
  if (task.status === 'running' && task.progress !== null) {
    const { percent, text } = task.progress;
    return show`${percent === null ? '' : `${percent}% `}${text}`;
  }
  if (task.reason !== null) return show`${task.reason}`;
  if (task.status === 'completed') return paint.dim(task.result?.summary ?? '');
  return show`${task.title === task.key ? '' : task.title}`;
}

/** Text of several lines under a heading; nothing for an empty one. */
export function section(heading: string, text: string): Shown | undefined {
  return text.trim() === ''
    ? undefined
    : stack(paint.plain(''), paint.bold(heading), block(text, '  '));
}
