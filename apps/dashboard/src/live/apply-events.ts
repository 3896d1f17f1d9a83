import type {
  DeliveryState,
  Event,
  EventType,
  Run,
  RunGraph,
  RunStatus,
  Task,
  TaskStatus,
} from '@baton/contract';

/** The status a task has after an event; events that are not here leave it. */
const TASK_STATUS_AFTER: Partial<Record<EventType, TaskStatus>> = {
  'task.blocked': 'blocked',
  'task.ready': 'ready',
  'task.assigned': 'running',
  'task.started': 'running',
  'task.needs_human': 'waiting',
  'task.awaiting': 'waiting',
  'task.resumed': 'running',
  'task.paused': 'paused',
  'task.verifying': 'verifying',
  'task.retrying': 'ready',
  'task.completed': 'completed',
  'task.failed': 'failed',
  'task.cancelled': 'cancelled',
  'task.skipped': 'skipped',
  'task.superseded': 'superseded',
  'task.relaunched': 'blocked',
};

const RUN_STATUS_AFTER: Partial<Record<EventType, RunStatus>> = {
  'run.started': 'running',
  'run.waiting': 'waiting',
  'run.resumed': 'running',
  'run.paused': 'paused',
  'run.reopened': 'running',
  'run.cancelling': 'cancelling',
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

/** The place in the feed that a cursor `<incarnation>.<pos>` names. */
export function posOf(cursor: string): number {
  const pos = Number(cursor.slice(cursor.lastIndexOf('.') + 1));
  return Number.isFinite(pos) ? pos : -1;
}

/**
 * A graph as it is after events of its run. Events up to the graph's own cursor are in it already and
 * are passed over, so that a snapshot and the feed may come in any order. What events do not tell
 * (cost, results) comes with the next snapshot.
 */
export function applyEvents(graph: RunGraph, events: readonly Event[]): RunGraph {
  const known = posOf(graph.cursor);
  const news = events.filter(({ pos, run }) => run === graph.run.id && pos > known);
  if (news.length === 0) return graph;
  const tasks = new Map(graph.tasks.map((task) => [task.id, task]));
  let { run } = graph;
  const settled = new Set<string>();
  for (const event of news) {
    run = runAfter(run, event);
    const task = event.task === null ? undefined : tasks.get(event.task);
    if (task !== undefined) tasks.set(task.id, taskAfter(task, event));
    if (event.type === 'dependency.resolved') {
      settled.add(edgeName(event.data['upstream'], event.data['downstream'], event.data['type']));
    }
  }
  const all = graph.tasks.map((task) => tasks.get(task.id) ?? task);
  return {
    run: { ...run, tasks_by_status: countsOf(all) },
    tasks: all,
    dependencies: graph.dependencies.map((edge) =>
      settled.has(edgeName(edge.upstream, edge.downstream, edge.type))
        ? { ...edge, satisfied: true }
        : edge,
    ),
    cursor: news.at(-1)?.cursor ?? graph.cursor,
  };
}

function edgeName(upstream: unknown, downstream: unknown, type: unknown): string {
  return [upstream, downstream, type].join(' ');
}

/** A run as it is after one of its events. */
export function runAfter(run: Run, event: Event): Run {
  const status = RUN_STATUS_AFTER[event.type] ?? run.status;
  const ended =
    event.type === 'run.completed' || event.type === 'run.failed' || event.type === 'run.cancelled';
  return {
    ...run,
    status,
    reason: event.type in RUN_STATUS_AFTER ? textOf(event.data['reason']) : run.reason,
    seq: event.run_seq ?? run.seq,
    updated_at: event.at,
    started_at: event.type === 'run.started' ? (run.started_at ?? event.at) : run.started_at,
    ended_at: ended ? event.at : event.type === 'run.reopened' ? null : run.ended_at,
    delivery: deliveryAfter(run.delivery, event),
    needs_human: Math.max(0, run.needs_human + humansWanted(event)),
  };
}

function deliveryAfter(delivery: DeliveryState, event: Event): DeliveryState {
  if (event.type === 'run.delivering') return { ...delivery, state: 'pending' };
  const told = event.data['delivery'];
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return delivery;
  const state = event.type === 'run.delivered' ? 'delivered' : 'refused';
  return { ...delivery, ...(told as Partial<DeliveryState>), state };
}

function humansWanted({ type }: Event): number {
  if (type === 'checkpoint.opened') return 1;
  return type.startsWith('checkpoint.') ? -1 : 0;
}

/** A task as it is after one of its events. */
export function taskAfter(task: Task, event: Event): Task {
  const status = statusAfter(task.status, event);
  const terminal =
    event.type === 'task.completed' ||
    event.type === 'task.failed' ||
    event.type === 'task.cancelled' ||
    event.type === 'task.skipped';
  const worker = textOf(event.data['worker_name']);
  return {
    ...task,
    status,
    reason: event.type in TASK_STATUS_AFTER ? textOf(event.data['reason']) : task.reason,
    needs_human: event.type === 'task.needs_human' || (task.needs_human && status === task.status),
    worker_name:
      event.type === 'task.assignment_changed' ? task.worker_name : (worker ?? task.worker_name),
    attempt:
      event.type === 'task.assigned'
        ? (textOf(event.data['attempt']) ?? task.attempt)
        : task.attempt,
    progress: event.type === 'task.progressed' ? progressOf(event) : task.progress,
    started_at: event.type === 'task.started' ? event.at : task.started_at,
    ended_at: terminal ? event.at : isMoving(status) ? null : task.ended_at,
    updated_at: event.at,
  };
}

function statusAfter(now: TaskStatus, event: Event): TaskStatus {
  const next = TASK_STATUS_AFTER[event.type] ?? now;
  if (event.type !== 'task.needs_human') return next;
  return event.data['kind'] === 'dispatch_approval' ? 'awaiting_approval' : next;
}

function isMoving(status: TaskStatus): boolean {
  return status === 'ready' || status === 'running' || status === 'blocked';
}

function progressOf(event: Event): Task['progress'] {
  const percent = event.data['percent'];
  return {
    percent: typeof percent === 'number' ? percent : null,
    text: textOf(event.data['text']) ?? '',
    at: event.at,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function countsOf(tasks: readonly Task[]): Run['tasks_by_status'] {
  const counts: Partial<Record<TaskStatus, number>> = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
