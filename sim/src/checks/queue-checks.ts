import type { AttemptRow, LimitRow, ReadyRow } from '@baton/kernel';
import { classNow, keysOf, takesSlot, type MemoryWorld } from '@baton/kernel/testing';
import type { FaultList } from '../faults-found.ts';
import type { Sometimes } from '../sometimes.ts';
import type { Commit } from '../store/sim-database.ts';

/**
 * Starts of one run that another one, with work in the same queue, may have to see before its next turn;
 * besides one for each of its own open tasks, which is as far off as a turn can be.
 */
const overtakesMax = 14;

/** Who may start, and who first: limits and rates, priorities, turns. */
export class QueueChecks {
  /** Starts under each rate since it was set. */
  readonly #starts = new Map<string, number[]>();
  /** `<waiting run> <starting run> <needs> <class>`: starts since the waiting one started last. */
  readonly #overtakes = new Map<string, number>();
  readonly #overtakesMax: number;
  readonly #faults: FaultList;
  readonly #sometimes: Sometimes;

  /** `isQuick`: turns go on faster than one replica hears of the other's; then more may be overtaken. */
  constructor(faults: FaultList, sometimes: Sometimes, isQuick: boolean) {
    this.#faults = faults;
    this.#sometimes = sometimes;
    this.#overtakesMax = isQuick ? 5 * overtakesMax : overtakesMax;
  }

  /** What was claimable and free when the batch looked, held against what it took. */
  before(commit: Commit, world: MemoryWorld): void {
    const { pool } = commit;
    const claims = claimsOf(commit);
    if (pool === undefined || claims.length === 0) return;
    const taken = new Set(claims.map((it) => it.taskId));
    const moved = new Set(commit.writes.filter((it) => it.table === 'ready').map((it) => it.id));
    const left = pool.filter(
      (it) =>
        !taken.has(it.taskId) &&
        !moved.has(it.taskId) &&
        world.row('ready', it.taskId) === it &&
        isPlain(world, it.taskId),
    );
    for (const { taskId } of claims) {
      const row = world.row('ready', taskId);
      if (row === null) continue;
      const counts = classNow(row, commit.nowMs);
      const first = left.find((it) => it.needsId === row.needsId && it.priority < counts);
      if (first !== undefined)
        this.#faults.report(
          'priority-first',
          `task ${taskId} of class ${counts} started before ${first.taskId} of ${first.priority}`,
        );
      const sameClass = left.filter((it) => classNow(it, commit.nowMs) === it.priority);
      if (counts === row.priority) this.#turns(row, sameClass, world);
    }
  }

  /** Runs with work in the same queue and class take turns. */
  #turns(row: ReadyRow, left: readonly ReadyRow[], world: MemoryWorld): void {
    const queue = `${row.needsId} ${row.priority}`;
    for (const key of this.#overtakes.keys())
      if (key.startsWith(`${row.runId} `) && key.endsWith(queue)) this.#overtakes.delete(key);
    const others = new Set(
      left
        .filter((it) => it.needsId === row.needsId && it.priority === row.priority)
        .map((it) => it.runId)
        .filter((it) => it !== row.runId),
    );
    for (const run of others) {
      const key = `${run} ${row.runId} ${queue}`;
      const count = (this.#overtakes.get(key) ?? 0) + 1;
      this.#overtakes.set(key, count);
      if (count > 3) this.#sometimes.saw('runs took turns');
      const bound = this.#overtakesMax + (world.row('runs', run)?.openTasks ?? 0);
      if (count > bound)
        this.#faults.report('fair-turns', `run ${run} saw ${count} starts of ${row.runId}`);
    }
    // Who has nothing in the queue any more waits for nothing.
    for (const key of this.#overtakes.keys()) {
      const [waiting = '', starting] = key.split(' ');
      if (starting === row.runId && key.endsWith(queue) && !others.has(waiting))
        this.#overtakes.delete(key);
    }
  }

  /** Limits hold at every commit that starts something. */
  after(commit: Commit, world: MemoryWorld): void {
    for (const { table, id, row, original } of commit.writes) {
      if (table !== 'limits') continue;
      const [was, is] = [original as LimitRow | null, row as LimitRow | null];
      if (was?.ratePerMinute !== is?.ratePerMinute || was?.burst !== is?.burst)
        this.#starts.delete(id);
    }
    if (world.all('limits').length === 0) return;
    for (const attempt of claimsOf(commit)) {
      for (const limit of limitsOf(world, attempt)) {
        if (!isSetAfter(commit, limit, attempt)) this.#withinLimit(world, limit, attempt);
        this.#withinRate(commit, limit, attempt);
      }
    }
  }

  #withinLimit(world: MemoryWorld, limit: LimitRow, attempt: AttemptRow): void {
    if (limit.maxRunning === null) return;
    this.#sometimes.saw('a task started under a limit');
    const running = world
      .all('attempts')
      .filter((it) => takesSlot(it))
      .filter((it) => limitsOf(world, it).includes(limit)).length;
    if (running > limit.maxRunning)
      this.#faults.report(
        'within-limit',
        `${attempt.id} made ${running} under ${limit.key}, which allows ${limit.maxRunning}`,
      );
  }

  /** No span of time that ends now holds more starts than the rate allows. */
  #withinRate({ nowMs }: Commit, limit: LimitRow, attempt: AttemptRow): void {
    if (limit.ratePerMinute === null) return;
    this.#sometimes.saw('a task started under a rate');
    const starts = this.#starts.get(limit.id) ?? [];
    starts.push(nowMs);
    this.#starts.set(limit.id, starts);
    const intervalMs = 60_000 / limit.ratePerMinute;
    starts.forEach((since, at) => {
      const count = starts.length - at;
      if (count > limit.burst + (nowMs - since) / intervalMs + 1e-6)
        this.#faults.report(
          'within-rate',
          `${attempt.id} is start ${count} of ${limit.key} in ${nowMs - since} ms`,
        );
    });
  }
}

function claimsOf({ writes }: Commit): AttemptRow[] {
  return writes
    .filter((it) => it.table === 'attempts' && it.original === null && it.row !== null)
    .map((it) => it.row as AttemptRow);
}

/** Whether a limit was set behind the start of an attempt, in the same commit. */
function isSetAfter({ events }: Commit, { key }: LimitRow, attempt: AttemptRow): boolean {
  const start = events.findIndex((it) => it.attemptId === attempt.id);
  const set = events.findLastIndex((it) => it.type === 'limit.set' && it.data['key'] === key);
  return set > start;
}

function limitsOf(world: MemoryWorld, attempt: AttemptRow): LimitRow[] {
  const spec = world.row('taskSpecs', attempt.taskId)?.spec;
  const keys = spec === undefined ? [] : keysOf(spec, attempt.engine);
  return world.all('limits').filter((it) => keys.includes(it.key));
}

/** Whether nothing but its place in the queue says who may take a task. */
function isPlain(world: MemoryWorld, id: string): boolean {
  const task = world.row('tasks', id);
  return (
    task !== null &&
    task.attemptCount === 0 &&
    task.freeRetries === 0 &&
    task.continueAttemptId === null &&
    task.assignedWorker === null
  );
}
