import type { Command, WorkerHeartbeat } from '@baton/contract';
import { limitsOf } from './limits/holds.ts';
import { lockPlan, type LockPlan } from './lock-plan.ts';
import { list, lists, row, rows } from './need.ts';
import type { AttemptRow, TableName, TaskRow } from './rows.ts';
import type { Need, World } from './world.ts';

/**
 * What a command will surely read, as far as can be said from what is loaded. Called again after each
 * loading, until it names nothing new, it saves the rounds that `decide` would need to find out.
 */
export function plan(command: Command, world: World): Need[] {
  const named = lockPlan(command);
  const needs: Need[] = [];
  for (const table of NAMED_TABLES) {
    for (const id of named[table] ?? []) needs.push(row(table, id));
  }
  for (const name of named.workerNames ?? []) needs.push(list('workerByName', name));
  for (const id of named.tasks ?? []) needs.push(...aroundTask(command, world.row('tasks', id)));
  for (const id of named.attempts ?? []) needs.push(...aroundAttempt(command, world, id));
  for (const id of named.checkpoints ?? []) {
    const checkpoint = world.row('checkpoints', id);
    if (checkpoint === null || checkpoint === undefined) continue;
    needs.push(...rows('tasks', [checkpoint.taskId]), ...rows('attempts', [checkpoint.attemptId]));
    needs.push(row('runs', checkpoint.runId), ...rows('taskSpecs', [checkpoint.taskId]));
  }
  for (const id of named.timers ?? []) {
    const timer = world.row('timers', id);
    if (timer === null || timer === undefined) continue;
    needs.push(row('runs', timer.runId), ...rows('tasks', [timer.taskId]));
    needs.push(...rows('taskSpecs', [timer.taskId]), ...rows('attempts', [timer.attemptId]));
    needs.push(...rows('checkpoints', [timer.checkpointId]));
  }
  if (command.type === 'worker.heartbeat') needs.push(...newsOf(command.beat, world));
  needs.push(...ofType(command));
  return needs;
}

const NAMED_TABLES = [
  'runs',
  'tasks',
  'attempts',
  'checkpoints',
  'timers',
  'workers',
  'joinTokens',
] as const satisfies readonly (keyof LockPlan & TableName)[];

/** Progress and costs concern tasks and runs; a bare beat does not read them. */
function newsOf({ attempts }: WorkerHeartbeat, world: World): Need[] {
  const telling = attempts
    .filter((it) => it.progress !== undefined || it.usage !== undefined)
    .flatMap((it) => world.row('attempts', it.id) ?? []);
  return [
    ...rows(
      'tasks',
      telling.map((it) => it.taskId),
    ),
    ...rows(
      'runs',
      telling.map((it) => it.runId),
    ),
    ...rows(
      'budgets',
      telling.flatMap((it) => it.holds?.budgets ?? []),
    ),
  ];
}

function ofType(command: Command): Need[] {
  switch (command.type) {
    case 'run.cancel':
    case 'run.pause':
    case 'run.resume':
    case 'run.delete':
    case 'run.purge':
      return [
        list('tasksOfRun', command.run),
        list('timersOfRun', command.run),
        list('openAttemptsOfRun', command.run),
        list('openCheckpointsOfRun', command.run),
      ];
    case 'worker.hello':
    case 'worker.heartbeat':
    case 'worker.remove':
      return [list('openAttemptsOfWorker', command.worker)];
    case 'work.dispatch':
      return lists(
        'slotsOfWorker',
        command.workers.map((it) => it.worker),
      );
    default:
      return [];
  }
}

function aroundTask(command: Command, task: TaskRow | null | undefined): Need[] {
  if (task === null || task === undefined) return [];
  const needs = [row('runs', task.runId), row('taskSpecs', task.id)];
  if (task.attemptId !== null) needs.push(row('attempts', task.attemptId));
  if (command.type === 'task.decide') needs.push(list('openCheckpointsOfTask', task.id));
  if (command.type === 'task.retry' || command.type === 'task.relaunch') {
    needs.push(list('tasksOfRun', task.runId), list('dependenciesOfRun', task.runId));
    needs.push(list('specsOfRun', task.runId));
  }
  return needs;
}

function aroundAttempt(command: Command, world: World, id: string): Need[] {
  const attempt = world.row('attempts', id);
  if (attempt === null || attempt === undefined) return [];
  const isOfMany =
    command.type === 'worker.hello' ||
    command.type === 'worker.heartbeat' ||
    command.type === 'lease.grace';
  if (isOfMany) return [];
  const needs = [row('tasks', attempt.taskId)];
  if (command.type === 'attempt.heartbeat' || command.type === 'attempt.progress') {
    const { progress, usage } = command.body;
    const hasNews = progress !== undefined || usage !== undefined;
    if (!hasNews) return needs;
    return [...needs, row('runs', attempt.runId), ...rows('budgets', attempt.holds?.budgets ?? [])];
  }
  needs.push(
    row('runs', attempt.runId),
    row('taskSpecs', attempt.taskId),
    row('workers', attempt.workerId),
  );
  if (command.type === 'attempt.output') needs.push(list('outputsOfTask', attempt.taskId));
  const isEnd =
    command.type === 'attempt.complete' ||
    command.type === 'attempt.fail' ||
    command.type === 'attempt.release';
  if (isEnd) needs.push(...aroundEnd(world, attempt));
  return needs;
}

/** The end of an attempt reaches its task's dependents, and the specs of those that may start. */
function aroundEnd(world: World, attempt: AttemptRow): Need[] {
  const { taskId } = attempt;
  const needs = [list('edgesOut', taskId), list('outputsOfTask', taskId)];
  if (attempt.holds !== null) {
    const { slots, budgets } = attempt.holds;
    needs.push(...rows('limitSlots', slots), ...lists('surplusOfLimit', limitsOf(slots)));
    needs.push(...rows('budgets', budgets));
  }
  const edges = (world.list('edgesOut', taskId) ?? []).filter(
    (edge) => !edge.satisfied && edge.type !== 'related',
  );
  if (edges.length === 0) return needs;
  const closing = new Map<string, number>();
  for (const edge of edges)
    closing.set(edge.downstreamId, (closing.get(edge.downstreamId) ?? 0) + 1);
  for (const [id, count] of closing) {
    needs.push(row('tasks', id));
    const task = world.row('tasks', id);
    if (task !== null && task !== undefined && task.pending <= count)
      needs.push(row('taskSpecs', id));
  }
  return needs;
}
