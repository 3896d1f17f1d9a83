import { holdsSlot, isOpenAttempt, isTerminalRun, isTerminalTask } from '@baton/contract';
import { gateVerdict } from '../graph/gate.ts';
import { isOver } from '../delegation/conclusions.ts';
import { keysOf } from '../limits/limit-keys.ts';
import { scanRun } from '../graph/scan-run.ts';
import { findCycle } from '../graph/find-cycle.ts';
import { awaitsReplan } from '../run/replan.ts';
import type { RunRow, TaskRow, TimerRow } from '../rows.ts';
import { takesSlot } from '../attempt/slots.ts';
import { countsOf, isActive } from '../task/change-task.ts';
import { isCurrent } from '../verification/verification-state.ts';
import type { MemoryWorld } from './memory-world.ts';

/**
 * Everything that is wrong with a stored state; empty when nothing is. One line each. What is being purged
 * goes piece by piece, and is not looked at.
 */
export function faultsOf(world: MemoryWorld): string[] {
  const isPurged = (run: string): boolean => (world.row('runs', run)?.purgeAtMs ?? null) !== null;
  const tasks = world.all('tasks').filter((it) => it.purgeAtMs === null && !isPurged(it.runId));
  return [
    ...world
      .all('runs')
      .filter((it) => !isPurged(it.id))
      .flatMap((run) => runFaults(world, run)),
    ...tasks.flatMap((task) => taskFaults(world, task)),
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
    ...placeFaults(world),
    ...budgetFaults(world),
    ...world.all('workers').flatMap((worker) => {
      const open = world.list('openAttemptsOfWorker', worker.id).filter(takesSlot).length;
      return open > worker.slots ? [`worker ${worker.name} holds ${open} of ${worker.slots}`] : [];
    }),
  ];
}

/** Places under limits: each is held by who says so, and no more may be given out than the limit has. */
function placeFaults(world: MemoryWorld): string[] {
  const faults: string[] = [];
  for (const limit of world.all('limits')) {
    const slots = world.list('slotsOfLimit', limit.id);
    const usable = slots.filter((it) => !it.surplus).length;
    if (usable !== (limit.maxRunning ?? 0)) faults.push(`limit ${limit.key} has ${usable} places`);
  }
  for (const slot of world.all('limitSlots')) {
    if (slot.attemptId === '') {
      if (slot.surplus) faults.push(`place ${slot.id} is free and surplus`);
      continue;
    }
    const holder = world.row('attempts', slot.attemptId);
    if (holder === null || !takesSlot(holder)) faults.push(`place ${slot.id} is held by nobody`);
    if (holder?.holds?.slots.includes(slot.id) !== true) faults.push(`${slot.id} is not known`);
  }
  for (const attempt of world.all('attempts')) {
    for (const id of attempt.holds?.slots ?? []) {
      if (world.row('limitSlots', id)?.attemptId !== attempt.id) {
        faults.push(`attempt ${attempt.id} says it holds ${id}`);
      }
    }
    if (!takesSlot(attempt)) continue;
    const { spec } = world.row('taskSpecs', attempt.taskId) ?? {};
    const keys = spec === undefined ? [] : keysOf(spec, attempt.engine);
    for (const limit of world.all('limits')) {
      const counts = limit.maxRunning !== null && keys.includes(limit.key);
      const has = attempt.holds?.slots.some((id) => id.startsWith(`${limit.id}#`)) === true;
      if (counts && !has) faults.push(`attempt ${attempt.id} does not count under ${limit.key}`);
    }
  }
  return faults;
}

/** What is set aside in a budget is what its open attempts have set aside, and never less than nothing. */
function budgetFaults(world: MemoryWorld): string[] {
  const faults: string[] = [];
  for (const budget of world.all('budgets')) {
    const name = `budget of ${budget.scope} ${budget.id}`;
    const reserved = world
      .all('attempts')
      .filter((it) => it.holds?.budgets.includes(budget.id) === true)
      .reduce((sum, it) => sum + (it.holds?.reserved ?? 0), 0);
    if (budget.reservedMicros !== reserved) {
      faults.push(`${name} has ${budget.reservedMicros} set aside, its attempts ${reserved}`);
    }
    if (budget.reservedMicros < 0 || budget.spentMicros < 0)
      faults.push(`${name} is below nothing`);
  }
  for (const attempt of world.all('attempts')) {
    const isOver = attempt.endedAtMs !== null;
    if (isOver && (attempt.holds?.budgets.length ?? 0) > 0) {
      faults.push(`attempt ${attempt.id} has ended and holds money`);
    }
  }
  return faults;
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
  const shown = tasks.filter((it) => it.deletedAtMs === null);
  if (run.taskCount !== shown.length) say(`taskCount is ${run.taskCount}, has ${shown.length}`);
  const awaits = world.list('awaitsOfRun', run.id);
  if (run.openAwaits !== awaits.length)
    say(`openAwaits is ${run.openAwaits}, counted ${awaits.length}`);
  for (const it of awaits.filter((one) => one.status === 'open')) {
    const ended = it.tasks.filter((id) => isOver(world.row('tasks', id))).length;
    const isPaused = world.row('tasks', it.taskId)?.status === 'paused';
    if (ended >= it.needed && !it.crossesRuns && !isPaused) say(`await ${it.id} is met and open`);
  }
  const people = world.list('openCheckpointsOfRun', run.id).length;
  if (run.needsHuman !== people) say(`needsHuman is ${run.needsHuman}, counted ${people}`);
  if (isTerminalRun(run.status)) {
    if (counted.openTasks > 0) say(`has ${counted.openTasks} open tasks`);
    if (run.endedAtMs === null) say('has no end');
  } else if (run.endedAtMs !== null) say('has an end');
  if (run.status === 'running' && counted.activeTasks === 0 && run.delivery.state !== 'pending') {
    say('nothing of it moves');
  }
  if (run.status === 'waiting' && counted.activeTasks > 0 && run.barrierId === null) {
    say('something of it moves');
  }
  const needsPlan = awaitsReplan(run) || run.barrierId !== null;
  if (run.status === 'waiting' && counted.openTasks === counted.outOfPlay && !needsPlan)
    say('nothing is in play');
  faults.push(...barrierFaults(world, run));
  if (run.status === 'paused') {
    const moving = tasks.filter((it) => isActive(it));
    for (const task of moving) say(`${task.key} is ${task.status}`);
    const isEnded = counted.openTasks === counted.outOfPlay && !needsPlan;
    if (isEnded && run.delivery.state !== 'pending') say('nothing is in play');
  }
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

/** A run has one open checkpoint of its own at most, and nothing of it may be taken meanwhile. */
function barrierFaults(world: MemoryWorld, run: RunRow): string[] {
  const open = world.list('openCheckpointsOfRun', run.id).filter((it) => it.taskId === null);
  const faults: string[] = [];
  if (open.length > 1 || (open[0]?.id ?? null) !== run.barrierId) {
    faults.push(`run ${run.id}: has not the barrier that it says`);
  }
  if (run.barrierId === null) return faults;
  if (run.status === 'running') faults.push(`run ${run.id}: runs behind a barrier`);
  for (const task of world.list('tasksOfRun', run.id)) {
    const ready = world.row('ready', task.id);
    if (ready !== null && ready.held === null) {
      faults.push(`run ${run.id}: ${task.key} may be taken behind the barrier`);
    }
  }
  return faults;
}

/** What the cascade kept step by step must equal what a scan of the whole run finds. */
function graphFaults(world: MemoryWorld, run: RunRow): string[] {
  // Of one that is still being written some tasks are there without their edges.
  if (run.status === 'planning') return [];
  const tasks = world.list('tasksOfRun', run.id);
  const edges = world.list('dependenciesOfRun', run.id);
  const scan = scanRun(tasks, edges, (task) => {
    const spec = world.row('taskSpecs', task.id);
    const result = world.row('attempts', task.resultAttemptId ?? '')?.result ?? null;
    return spec === null ? 'open' : gateVerdict(task, spec, result);
  });
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
  const queued = world.row('ready', task.id);
  const from =
    task.continueAttemptId === null ? null : world.row('attempts', task.continueAttemptId);
  if (from !== null && from.taskId !== task.id) say('goes on from an attempt of another task');
  const isAtWork = task.status === 'running';
  if (isAtWork && from !== null) say('was not told what it goes on from');
  if (queued !== null && queued.held === null && from !== null && holdsSlot(from.status)) {
    say('may be taken while what it goes on from has not ended');
  }
  const newest = Math.max(0, ...attempts.map((it) => it.epoch));
  if (task.epoch !== newest) say(`epoch is ${task.epoch}, attempts have ${newest}`);
  if (new Set(attempts.map((it) => it.epoch)).size !== attempts.length) say('gave an epoch twice');
  if ((task.status === 'ready') !== (queued !== null)) say('is not in the queue as it should be');
  if (queued !== null && queued.held !== task.reason)
    say(`is held for ${queued.held ?? 'nothing'}`);
  if (queued !== null && queued.needsId !== task.needsId) say('is queued for other needs');
  if (queued !== null && queued.runId !== task.runId) say('is queued for another run');
  const asked = world.list('openCheckpointsOfTask', task.id);
  if (asked.length > 1 || (asked[0]?.id ?? null) !== task.checkpointId)
    say('asks not what it says');
  const isRefused = task.status === 'waiting' && task.reason === 'rate_limited';
  if (isRefused && task.retryAtMs === null) say('waits for no reset');
  const mayAsk = (task.status === 'waiting' && !isRefused) || task.status === 'awaiting_approval';
  const awaited = world.list('awaitsOfTask', task.id).filter((it) => it.status === 'open');
  if (awaited.length > 1) say('has several open awaits');
  if (task.status !== 'paused' && mayAsk !== (asked.length + awaited.length === 1))
    say(`has ${asked.length} open checkpoints and ${awaited.length} open awaits`);
  const awaits = task.status === 'waiting' && task.reason === 'await';
  if (task.status !== 'paused' && awaits !== (awaited.length === 1))
    say('awaits nothing, or unsaid');
  if (awaits && !hasTimer(world, task, 'await_deadline')) say('awaits for ever');
  if (isTerminalTask(task.status) !== (task.endedAtMs !== null)) say('has a wrong end');
  const check = world.row('tasks', task.verification?.by ?? '');
  if (task.status === 'verifying' && (check === null || !isCurrent(check, task))) {
    say('is verified by nobody');
  }
  if (check !== null && task.status !== 'verifying') say('is checked although it is not verifying');
  if (check !== null && isTerminalTask(check.status)) say('has a check that has ended');
  if (task.verifies !== null && !isTerminalTask(task.status)) {
    const judged = world.row('tasks', task.verifies.task);
    if (judged?.verification?.by !== task.id) say('checks what nobody asks about');
  }
  if (task.outOfPlay && task.status !== 'blocked') say('is out of play');
  if (task.attemptCount > (world.row('taskSpecs', task.id)?.spec.retry.max_attempts ?? 0)) {
    say(`was tried ${task.attemptCount} times`);
  }
  const backsOff = task.retryAtMs !== null && task.status !== 'paused';
  if (backsOff && !hasTimer(world, task, 'retry_backoff')) say('backs off for ever');
  if ((task.status === 'paused') !== (task.pausedFrom !== null)) say('was paused from nothing');
  if (task.status === 'paused' && live.length > 0) say('has a live attempt');
  if (task.deletedAtMs !== null) {
    if (!isTerminalTask(task.status)) say('is deleted');
    const edges = [...world.list('edgesIn', task.id), ...world.list('edgesOut', task.id)];
    if (edges.length > 0) say('is deleted and has edges');
  }
  return faults;
}

/** Whether what a timer was set for is still so: none outlives its purpose. */
function isWaitedFor(world: MemoryWorld, timer: TimerRow): boolean {
  const task = timer.taskId === null ? null : world.row('tasks', timer.taskId);
  const attempt = timer.attemptId === null ? null : world.row('attempts', timer.attemptId);
  if (timer.kind === 'plan_step') {
    return world.row('runs', timer.runId) !== null;
  }
  if (timer.taskId === null) {
    return world.row('runs', timer.runId)?.barrierId === timer.checkpointId;
  }
  if (task === null || task.runId !== timer.runId) return false;
  switch (timer.kind) {
    case 'retry_backoff':
      return (
        (task.status === 'ready' || task.reason === 'rate_limited') &&
        task.retryAtMs === timer.dueAtMs
      );
    case 'queue_timeout':
      return task.status === 'ready' && task.generation === timer.guard;
    case 'continue_timeout':
      return task.status === 'ready' && task.continueAttemptId !== null;
    case 'start_timeout':
      return attempt?.status === 'claimed' && attempt.epoch === timer.guard;
    case 'run_timeout':
    case 'idle_timeout':
      return attempt !== null && isOpenAttempt(attempt.status);
    case 'stopping_deadline':
      return attempt?.status === 'stopping';
    case 'checkpoint_deadline':
    case 'approval_timeout':
      return world.row('checkpoints', timer.checkpointId ?? '')?.status === 'open';
    case 'await_deadline':
      return world.list('awaitsOfTask', task.id).some((it) => it.status === 'open');
    case 'delivery_deadline':
      return world.row('runs', timer.runId)?.deliveryOrder?.task === task.id;
  }
}

function hasTimer(world: MemoryWorld, task: TaskRow, kind: string): boolean {
  return world.list('timersOfTask', task.id).some((it) => it.kind === kind);
}
