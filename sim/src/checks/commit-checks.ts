import { isOpenAttempt, isTerminalRun, isTerminalTask } from '@baton/contract';
import type { AttemptRow, NewEvent, RunRow, TaskRow } from '@baton/kernel';
import { faultsOf, type MemoryWorld } from '@baton/kernel/testing';
import { AheadChecks } from './ahead-checks.ts';
import { Ends } from './ends.ts';
import { InputChecks } from './input-checks.ts';
import { LeaseChecks, type Grace } from './lease-checks.ts';
import type { FaultList } from '../faults-found.ts';
import { QueueChecks } from './queue-checks.ts';
import { VerdictChecks } from './verdict-checks.ts';
import type { Situation, Sometimes } from '../sometimes.ts';
import type { Commit, CommitWatcher } from '../store/sim-database.ts';

/** Commits between two full audits. */
const auditEvery = 40;

/** When an attempt was made and when it ended, in numbers of commits. */
export interface AttemptLife {
  readonly epoch: number;
  readonly workerId: string;
  claimedIn: number;
  /** Undefined while it may still be written for. */
  endedIn: number | undefined;
}

/**
 * Looks at every commit as it happens: what a transaction may never leave behind, and what the feed may
 * never tell. Knows nothing of how decisions are made.
 */
export class CommitChecks implements CommitWatcher {
  readonly attempts = new Map<string, AttemptLife>();
  /** Runs and tasks by what the feed alone says of their end. */
  readonly #ends = new Ends();
  readonly #epochs = new Map<string, number>();
  readonly #retryAt = new Map<string, number>();
  readonly #resolved = new Map<string, number>();
  readonly #generations = new Map<string, number>();
  /** Times that a task came back into play, or was judged anew: what it meant to others counts again. */
  readonly #returns = new Map<string, number>();
  readonly #cancelled = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #seqs = new Map<string, number>();
  readonly #verdicts: VerdictChecks;
  readonly #queue: QueueChecks;
  readonly #leases: LeaseChecks;
  readonly #inputs: InputChecks;
  readonly #ahead: AheadChecks;
  readonly #faults: FaultList;
  readonly #sometimes: Sometimes;
  #lastReplica = '';
  #lastAtMs = 0;

  constructor(faults: FaultList, sometimes: Sometimes, isQuick: boolean) {
    this.#faults = faults;
    this.#sometimes = sometimes;
    this.#verdicts = new VerdictChecks(faults, sometimes);
    this.#queue = new QueueChecks(faults, sometimes, isQuick);
    this.#leases = new LeaseChecks(faults, sometimes);
    this.#inputs = new InputChecks(faults, this.#ends);
    this.#ahead = new AheadChecks(faults);
  }

  /** A replica has started; what it found open has a grace of two leases from `beganMs`. */
  graced(grace: Grace): void {
    this.#leases.graced(grace);
  }

  before(commit: Commit, world: MemoryWorld): void {
    for (const { table, id, original, row } of commit.writes) {
      const now = world.row(table, id);
      // Written anew with the same content, nothing is lost.
      if (
        original !== null &&
        now !== original &&
        JSON.stringify(now) !== JSON.stringify(original)
      ) {
        this.#say('no-lost-update', `${table} ${id} changed between its reading and its writing`);
      }
      if (table === 'attempts')
        this.#attemptStep(original as AttemptRow | null, row as AttemptRow | null);
      if (table === 'checkpoints' && original !== null && row !== null) {
        const [was, is] = [original, row] as [{ status: string }, { status: string }];
        if (was.status !== 'open' && was.status !== is.status) {
          this.#say('one-decision', `checkpoint ${id} was ${was.status} and became ${is.status}`);
        }
      }
    }
    for (const event of commit.events) {
      this.#tell(commit, event, world);
      this.#verdicts.tell(commit, event, world);
    }
    this.#queue.before(commit, world);
    this.#ahead.before(commit, world);
  }

  changed(run: string): void {
    this.#ahead.changed(run);
  }

  after(commit: Commit, world: MemoryWorld): void {
    if (this.#lastReplica !== '' && this.#lastReplica !== commit.replica)
      this.#sometimes.saw('two replicas wrote in turn');
    this.#lastReplica = commit.replica;
    for (const { table, id, row, original } of commit.writes) {
      if (table === 'tasks') this.#taskState(world, id, row as TaskRow | null);
      if (table === 'runs') this.#runState(id, row as RunRow | null);
      if (table === 'attempts')
        this.#noteAttempt(commit, id, original as AttemptRow | null, row as AttemptRow | null);
    }
    this.#queue.after(commit, world);
    this.#ahead.after(commit);
    if (commit.number % auditEvery === 0) this.audit(world);
  }

  /** Everything at once: counters, queue, edges, timers, slots, by scanning. */
  audit(world: MemoryWorld): void {
    for (const fault of faultsOf(world)) this.#say('audit', fault);
  }

  #attemptStep(before: AttemptRow | null, after: AttemptRow | null): void {
    if (before === null || after === null) return;
    const isOver = before.endedAtMs !== null;
    if (isOver && before.status !== after.status) {
      this.#say('one-end', `attempt ${before.id} ended as ${before.status}, then ${after.status}`);
    }
    if (before.epoch !== after.epoch)
      this.#say('epochs-grow', `attempt ${before.id} changed epoch`);
  }

  #noteAttempt(
    commit: Commit,
    id: string,
    before: AttemptRow | null,
    after: AttemptRow | null,
  ): void {
    if (after === null) return;
    if (before === null) {
      this.attempts.set(id, {
        epoch: after.epoch,
        workerId: after.workerId,
        claimedIn: commit.number,
        endedIn: undefined,
      });
      const last = this.#epochs.get(after.taskId) ?? 0;
      if (after.epoch <= last) {
        this.#say('epochs-grow', `task ${after.taskId} gave epoch ${after.epoch} after ${last}`);
      }
      this.#epochs.set(after.taskId, Math.max(last, after.epoch));
    }
    const life = this.attempts.get(id);
    if (life !== undefined && after.endedAtMs !== null) life.endedIn ??= commit.number;
  }

  #taskState(world: MemoryWorld, id: string, task: TaskRow | null): void {
    if (task === null) return;
    const attempts = world.list('attemptsOfTask', id);
    const live = attempts.filter((it) => isOpenAttempt(it.status));
    if (live.length > 1) {
      this.#say('one-live-attempt', `task ${id} has ${live.length} live attempts`);
    }
    const newest = Math.max(0, ...attempts.map((it) => it.epoch));
    if (task.epoch !== newest && attempts.length > 0) {
      this.#say('epoch-of-task', `task ${id} has epoch ${task.epoch}, attempts ${newest}`);
    }
    if ((task.status === 'ready') !== (world.row('ready', id) !== null)) {
      this.#say('ready-row', `task ${id} is ${task.status}, its place in the queue says otherwise`);
    }
    this.#compareEnd(`task ${id}`, isTerminalTask(task.status) ? task.status : undefined);
  }

  #runState(id: string, run: RunRow | null): void {
    if (run === null) return;
    this.#compareEnd(`run ${id}`, isTerminalRun(run.status) ? run.status : undefined);
    if (isTerminalRun(run.status) !== (run.openTasks === 0) && run.status !== 'cancelling') {
      const isDelivering = run.delivery.state === 'pending' || run.openTasks === 0;
      if (!isDelivering)
        this.#say('run-ends', `run ${id} is ${run.status} with ${run.openTasks} open`);
    }
  }

  /** The feed told the same end as the rows have. */
  #compareEnd(name: string, stored: string | undefined): void {
    const told = this.#ends.of(name);
    if (told !== stored) {
      this.#say('events-tell-state', `${name} is ${stored ?? 'open'}, told ${told ?? 'open'}`);
    }
  }

  #tell(commit: Commit, event: NewEvent, world: MemoryWorld): void {
    const { type, runId, taskId, attemptId, atMs, data } = event;
    if (atMs < this.#lastAtMs)
      this.#say('time-grows', `${type} at ${atMs} after ${this.#lastAtMs}`);
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    if (runId !== null) {
      const seq = this.#seqs.get(runId) ?? 0;
      if (event.runSeq !== seq + 1)
        this.#say('dense-run-seq', `${type} of ${runId} is ${event.runSeq ?? '-'} after ${seq}`);
      this.#seqs.set(runId, seq + 1);
    }
    const [noun, verb] = type.split('.') as [string, string];
    if (noun === 'task' && taskId !== null) this.#tellTask(verb, taskId, event, world);
    if (noun === 'run' && runId !== null) this.#tellRun(verb, runId);
    if (type === 'dependency.resolved') this.#tellResolved(data);
    if (type === 'attempt.claimed' && attemptId !== null) this.#claimed(commit, event, world);
    if (type === 'attempt.lost' && attemptId !== null) {
      const claimedIn = this.attempts.get(attemptId)?.claimedIn ?? 0;
      this.#leases.lost(commit, event, world.row('attempts', attemptId), claimedIn);
    }
    this.#see(event);
    if (type === 'attempt.failed' && taskId !== null) this.#failed(taskId, world);
    if (type === 'checkpoint.timed_out') this.#timedOut(commit, event, world);
  }

  /** Situations that events tell of. */
  #see({ type, cause, data }: NewEvent): void {
    const saw = (situation: Situation): void => this.#sometimes.saw(situation);
    if (type === 'task.woken') {
      const isLate = cause === 'timer.fire' && data['partial'] === true;
      saw(isLate ? 'an await ran out of time' : 'an agent was woken by what it waited for');
    }
    if (type === 'run.replanned') saw('a run was planned anew');
    if (type === 'run.paused' && data['reason'] === 'budget')
      saw('a run was paused for want of money');
    if (type === 'attempt.lost' && cause === 'worker.remove') saw('a worker was removed with work');
  }

  #tellTask(verb: string, id: string, event: NewEvent, world: MemoryWorld): void {
    const { data, atMs, cause } = event;
    const isJudged = cause === 'attempt.adopt' || cause === 'task.review';
    const name = `task ${id}`;
    const before = this.#ends.of(name);
    this.#ends.tell({ type: event.type, run: null, task: id });
    if (this.#ends.of(name) === verb) {
      // A person may take a late result, or judge one, and so change how a task ended.
      // A new plan may replace what has ended.
      if (before !== undefined && before !== verb && !isJudged && verb !== 'superseded')
        this.#say('final-states', `${name} ended as ${before} and as ${verb}`);
      this.#retryAt.delete(id);
    }
    const isBack = verb === 'unblocked' || (verb === 'blocked' && data['reason'] === null);
    if (isBack || isJudged) this.#returns.set(id, (this.#returns.get(id) ?? 0) + 1);
    if (verb === 'relaunched') {
      this.#retryAt.delete(id);
      this.#failures.delete(id);
      const generation = Number(data['generation']);
      const last = this.#generations.get(id) ?? 1;
      if (generation <= last) this.#say('generations-grow', `${name}: ${generation} after ${last}`);
      this.#generations.set(id, generation);
    }
    if (verb === 'retrying') {
      this.#sometimes.saw('a task was tried again');
      const at = data['retry_at'];
      // What a provider refuses, another worker or engine may go on with at once.
      if (typeof at === 'string' && data['failure_class'] !== 'rate_limited') {
        this.#retryAt.set(id, Date.parse(at));
        if (Date.parse(at) > atMs) this.#sometimes.saw('a backoff was waited for');
      } else this.#retryAt.delete(id);
    }
    if (verb === 'failed' && String(data['reason']).startsWith('poison'))
      this.#sometimes.saw('a poisoned task was given up');
    if (verb === 'completed') this.#inputs.completed(id, world);
  }

  #tellRun(verb: string, id: string): void {
    this.#ends.tell({ type: `run.${verb}`, run: id, task: null });
    if (verb === 'cancelling' || verb === 'cancelled') this.#cancelled.add(id);
    if (verb === 'reopened') {
      this.#cancelled.delete(id);
      this.#sometimes.saw('a run reopened');
    }
    if (verb === 'delivering') this.#sometimes.saw('a delivery was ordered');
  }

  /** An edge is resolved once for each time that its ends are made anew. */
  #tellResolved(data: NewEvent['data']): void {
    const [upstream, downstream] = [String(data['upstream']), String(data['downstream'])];
    const key = [
      upstream,
      downstream,
      String(data['type']),
      String(data['contract_key']),
      this.#generations.get(upstream) ?? 1,
      this.#generations.get(downstream) ?? 1,
      this.#returns.get(upstream) ?? 0,
    ].join(' ');
    const count = (this.#resolved.get(key) ?? 0) + 1;
    this.#resolved.set(key, count);
    if (count > 1) this.#say('resolved-once', `edge ${key} was resolved ${count} times`);
  }

  /** A worker gets a task only when everything it waits for is there, and gets exactly that. */
  #claimed(commit: Commit, event: NewEvent, world: MemoryWorld): void {
    const { taskId, runId, attemptId, atMs } = event;
    if (taskId === null || runId === null || attemptId === null) return;
    const retryAtMs = this.#retryAt.get(taskId);
    if (retryAtMs !== undefined && atMs < retryAtMs)
      this.#say('backoff', `task ${taskId} started ${retryAtMs - atMs} ms before its retry`);
    this.#retryAt.delete(taskId);
    if (this.#cancelled.has(runId)) this.#say('cancelled-stays', `run ${runId} started a task`);
    if (!this.#seqs.has(runId)) this.#say('whole-submission', `run ${runId} was not created`);
    this.#inputs.started(commit, taskId, attemptId, world);
  }

  /** Failures that count, of one generation, are no more than the tries allowed. */
  #failed(taskId: string, world: MemoryWorld): void {
    const count = (this.#failures.get(taskId) ?? 0) + 1;
    this.#failures.set(taskId, count);
    const allowed = world.row('taskSpecs', taskId)?.spec.retry.max_attempts ?? 1;
    // Faults of the surroundings are free, five in a row.
    if (count > allowed * 6) this.#say('tries-bounded', `task ${taskId} failed ${count} times`);
  }

  #timedOut(commit: Commit, { data }: NewEvent, world: MemoryWorld): void {
    this.#sometimes.saw('a deadline decided a question');
    const id = String(data['checkpoint']);
    const before = world.row('checkpoints', id);
    if (before === null) return;
    if (before.status !== 'open')
      this.#say('one-decision', `checkpoint ${id} was ${before.status}`);
    if (before.timeoutAtMs === null || before.timeoutAtMs > commit.nowMs)
      this.#say('deadline-first', `checkpoint ${id} timed out too early`);
  }

  #say(check: string, text: string): void {
    this.#faults.report(check, text);
  }
}
