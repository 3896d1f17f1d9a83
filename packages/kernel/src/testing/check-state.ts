import { isOpenAttempt, isTerminalRun, isTerminalTask } from '@baton/contract';
import { scanRun } from '../graph/scan-run.ts';
import { findCycle } from '../graph/find-cycle.ts';
import type { RunRow, TaskRow, TimerRow } from '../rows.ts';
import { takesSlot } from '../attempt/slots.ts';
import { countsOf } from '../task/change-task.ts';
import type { MemoryWorld } from './memory-world.ts';

/** Everything that is wrong with a stored state; empty when nothing is. One line each. */
export function faultsOf(world: MemoryWorld): string[] {
  return [
    ...world.all('runs').flatMap((run) => runFaults(world, run)),
    ...world.all('tasks').flatMap((task) => taskFaults(world, task)),
    ...world
      .all('ready')
      .flatMap(({ taskId }) =>
        world.row('tasks', taskId)?.status === 'ready' ? [] : [`a ready row of ${taskId}`],
      ),
    ...world.all('timers').flatMap((timer) => {
      return isWaitedFor(world, timer)
        ? []
        : [`timer ${timer.kind} of ${timer.taskId ?? '?'} waits for nothing`];
    }),
    ...world.all('workers').flatMap((worker) => {
      const open = world.list('openAttemptsOfWorker', worker.id).filter(takesSlot).length;
      return open > worker.slots ? [`worker ${worker.name} holds ${open} of ${worker.slots}`] : [];
    }),
  ];
}

function runFaults(world: MemoryWorld, run: RunRow): string[] {
  const faults: string[] = [];
  const say = (text: string) => faults.push(`run ${run.id} (${run.status}): ${text}`);
  const tasks = world.list('tasksOfRun', run.id);
  const edges = world.list('dependenciesOfRun', run.id);
  const counted = { openTasks: 0, outOfPlay: 0, activeTasks: 0, failedTasks: 0, cancelledTasks: 0 };
  for (const task of tasks) {
    const counts = countsOf(task);
    for (const key of Object.keys(counted) as (keyof typeof counted)[]) counted[key] += counts[key];
  }
  for (const key of Object.keys(counted) as (keyof typeof counted)[]) {
    if (run[key] !== counted[key]) say(`${key} is ${run[key]}, counted ${counted[key]}`);
  }
  if (run.taskCount !== tasks.length) say(`taskCount is ${run.taskCount}, has ${tasks.length}`);
  const people = world.list('openCheckpointsOfRun', run.id).length;
  if (run.needsHuman !== people) say(`needsHuman is ${run.needsHuman}, counted ${people}`);
  if (isTerminalRun(run.status)) {
    if (counted.openTasks > 0) say(`has ${counted.openTasks} open tasks`);
    if (run.endedAtMs === null) say('has no end');
  } else if (run.endedAtMs !== null) say('has an end');
  if (run.status === 'running' && counted.activeTasks === 0 && run.delivery.state !== 'pending') {
    say('nothing of it moves');
  }
  if (run.status === 'waiting' && counted.activeTasks > 0) say('something of it moves');
  if (run.status === 'waiting' && counted.openTasks === counted.outOfPlay)
    say('nothing is in play');
  if (run.status === 'cancelling' && world.list('openAttemptsOfRun', run.id).length === 0) {
    say('nothing is left to stop');
  }
  const cycle = findCycle(
    tasks.map((it) => it.id),
    edges
      .filter((it) => it.type !== 'related')
      .map((it) => ({ from: it.upstreamId, to: it.downstreamId })),
  );
  if (cycle !== null) say(`has the cycle ${cycle.join(' -> ')}`);
  return [...faults, ...graphFaults(world, run)];
}

/** What the cascade kept step by step must equal what a scan of the whole run finds. */
function graphFaults(world: MemoryWorld, run: RunRow): string[] {
  const tasks = world.list('tasksOfRun', run.id);
  const edges = world.list('dependenciesOfRun', run.id);
  const scan = scanRun(tasks, edges, (task) =>
    task.resultAttemptId === null
      ? null
      : (world.row('attempts', task.resultAttemptId)?.result ?? null),
  );
  const faults: string[] = [];
  for (const edge of edges) {
    const downstream = tasks.find((it) => it.id === edge.downstreamId);
    if (downstream === undefined || !tasks.some((it) => it.id === edge.upstreamId)) {
      faults.push(`edge ${edge.id} has a loose end`);
    } else if (
      !isTerminalTask(downstream.status) &&
      edge.satisfied !== (scan.edges.get(edge.id) === 'satisfied')
    ) {
      faults.push(
        `edge into ${downstream.key} (${downstream.status}) is ${String(edge.satisfied)}`,
      );
    }
  }
  for (const task of tasks) {
    const found = scan.tasks.get(task.id);
    if (found === undefined) continue;
    const name = `task ${task.key} (${task.status})`;
    if (!isTerminalTask(task.status) && task.pending !== found.pending) {
      faults.push(`${name}: pending is ${task.pending}, scanned ${found.pending}`);
    }
    if (task.status !== 'blocked') continue;
    if (task.pending === 0) faults.push(`${name}: nothing holds it back`);
    if (found.unfiredBy !== null) faults.push(`${name}: its condition is not met`);
    if (task.outOfPlay !== found.outOfPlay) {
      faults.push(
        `${name}: out of play is ${String(task.outOfPlay)}, scanned ${String(found.outOfPlay)}`,
      );
    }
  }
  return faults;
}

function taskFaults(world: MemoryWorld, task: TaskRow): string[] {
  const faults: string[] = [];
  const say = (text: string) => faults.push(`task ${task.key} (${task.status}): ${text}`);
  const attempts = world.list('attemptsOfTask', task.id);
  const live = attempts.filter((it) => isOpenAttempt(it.status));
  if (live.length > 1) say(`has ${live.length} live attempts`);
  const working = live.filter((it) => it.status !== 'parked').length;
  if ((task.status === 'running') !== (working === 1)) say(`has ${working} attempts at work`);
  if (live.some((it) => it.status === 'parked') && task.status !== 'waiting') say('is parked');
  const newest = Math.max(0, ...attempts.map((it) => it.epoch));
  if (task.epoch !== newest) say(`epoch is ${task.epoch}, attempts have ${newest}`);
  if (new Set(attempts.map((it) => it.epoch)).size !== attempts.length) say('gave an epoch twice');
  const queued = world.row('ready', task.id);
  if ((task.status === 'ready') !== (queued !== null)) say('is not in the queue as it should be');
  if (queued !== null && queued.held !== task.reason)
    say(`is held for ${queued.held ?? 'nothing'}`);
  if (queued !== null && queued.needsId !== task.needsId) say('is queued for other needs');
  if (queued !== null && queued.runId !== task.runId) say('is queued for another run');
  const asked = world.list('openCheckpointsOfTask', task.id);
  if (asked.length > 1 || (asked[0]?.id ?? null) !== task.checkpointId)
    say('asks not what it says');
  const mayAsk = task.status === 'waiting' || task.status === 'awaiting_approval';
  if (mayAsk !== (asked.length === 1)) say(`has ${asked.length} open checkpoints`);
  if (isTerminalTask(task.status) !== (task.endedAtMs !== null)) say('has a wrong end');
  if (task.outOfPlay && task.status !== 'blocked') say('is out of play');
  if (task.attemptCount > (world.row('taskSpecs', task.id)?.spec.retry.max_attempts ?? 0)) {
    say(`was tried ${task.attemptCount} times`);
  }
  if (task.retryAtMs !== null && !hasTimer(world, task, 'retry_backoff')) say('backs off for ever');
  return faults;
}

/** Whether what a timer was set for is still so: none outlives its purpose. */
function isWaitedFor(world: MemoryWorld, timer: TimerRow): boolean {
  const task = timer.taskId === null ? null : world.row('tasks', timer.taskId);
  const attempt = timer.attemptId === null ? null : world.row('attempts', timer.attemptId);
  if (task === null || task.runId !== timer.runId) return false;
  switch (timer.kind) {
    case 'retry_backoff':
      return task.status === 'ready' && task.retryAtMs === timer.dueAtMs;
    case 'queue_timeout':
      return task.status === 'ready' && task.generation === timer.guard;
    case 'continue_timeout':
      return task.status === 'ready' && task.continueAttemptId !== null;
    case 'start_timeout':
      return attempt?.status === 'claimed' && attempt.epoch === timer.guard;
    case 'run_timeout':
      return attempt !== null && isOpenAttempt(attempt.status);
    case 'stopping_deadline':
      return attempt?.status === 'stopping';
    case 'checkpoint_deadline':
    case 'approval_timeout':
      return world.row('checkpoints', timer.checkpointId ?? '')?.status === 'open';
    case 'delivery_deadline':
      return world.row('runs', timer.runId)?.deliveryOrder?.task === task.id;
  }
}

function hasTimer(world: MemoryWorld, task: TaskRow, kind: string): boolean {
  return world.list('timersOfTask', task.id).some((it) => it.kind === kind);
}
