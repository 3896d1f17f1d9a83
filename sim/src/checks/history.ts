import { AppError, isOpenAttempt, type Command } from '@baton/contract';
import type { CommittedEvent, SubmitOptions } from '@baton/coordinator';
import type { NewEvent, Reply } from '@baton/kernel';
import { StoreError } from '@baton/store';
import type { FaultList } from '../faults-found.ts';
import type { Sometimes } from '../sometimes.ts';
import { POISON, type SimDatabase } from '../store/sim-database.ts';
import type { CommitChecks } from './commit-checks.ts';

/** A command that was put to a replica, and what the world was then. */
export interface Asked {
  readonly replica: string;
  readonly command: Command;
  readonly options: SubmitOptions;
  /** Commits before it. */
  readonly afterCommit: number;
  answer: Reply | string | undefined;
}

/** Codes that say nothing about whether the command took effect. */
const UNCLEAR: ReadonlySet<string> = new Set(['store_unavailable', 'draining', 'timeout']);

/** What was asked and what was answered, held against what the database has. */
export class History {
  readonly #all: Asked[] = [];
  readonly #db: SimDatabase;
  readonly #checks: CommitChecks;
  readonly #faults: FaultList;
  readonly #sometimes: Sometimes;
  readonly #toldUpTo = new Map<string, number>();

  constructor(db: SimDatabase, checks: CommitChecks, faults: FaultList, sometimes: Sometimes) {
    this.#db = db;
    this.#checks = checks;
    this.#faults = faults;
    this.#sometimes = sometimes;
  }

  get length(): number {
    return this.#all.length;
  }

  /** A replica is ready that began to start at that time and after so many commits. */
  graced(beganMs: number, afterCommit: number): void {
    this.#checks.graced({ beganMs, afterCommit, readyMs: this.#db.nowMs() });
  }

  asked(replica: string, command: Command, options: SubmitOptions): Asked {
    const asked: Asked = {
      replica,
      command,
      options,
      afterCommit: this.#db.commits,
      answer: undefined,
    };
    this.#all.push(asked);
    return asked;
  }

  accepted(asked: Asked, reply: Reply): void {
    asked.answer = reply;
    this.#isDurable(asked, reply);
    if ('attempt' in asked.command && 'body' in asked.command) this.#isFenced(asked, reply);
    const { command } = asked;
    if (command.type === 'attempt.complete' && reply.already === true)
      this.#sometimes.saw('a completion was repeated and got its first answer');
    if (command.type === 'checkpoint.resolve' && reply.already !== true)
      this.#sometimes.saw('a question was answered');
    if (command.type === 'task.retry') this.#sometimes.saw('a finished task was retried');
  }

  refused(asked: Asked, error: unknown): void {
    const code = codeOfFailure(error);
    asked.answer = code;
    const { command } = asked;
    if (code === 'bug' || (code === 'internal' && !isPoison(command))) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#faults.report('no-bug', `${command.type} was answered ${code}: ${text}`);
    }
    if (code === 'internal' && isPoison(command))
      this.#sometimes.saw('a bad command was cut out of its batch');
    if (code === 'stale_epoch' && 'attempt' in command && 'body' in command) {
      const life = this.#checks.attempts.get(command.attempt);
      this.#sometimes.saw(
        life?.epoch === command.body.epoch
          ? 'a write of an old epoch was refused'
          : 'a write with a wrong epoch was refused',
      );
    }
    if (code === 'completion_conflict')
      this.#sometimes.saw('a completion was told again with other words');
    if (code === 'checkpoint_closed') {
      const id = command.type === 'checkpoint.resolve' ? command.checkpoint : '';
      const closed = this.#db.world.row('checkpoints', id);
      this.#sometimes.saw(
        closed?.status === 'timed_out'
          ? 'a decision came after the deadline'
          : 'a question was answered twice',
      );
    }
    if (code === 'idempotency_conflict') this.#sometimes.saw('a key was used with another body');
  }

  /** Events as a replica tells them must be those of the feed, in order, each once. */
  told(replica: string, events: readonly CommittedEvent[]): void {
    for (const event of events) {
      const stored = this.#db.written[event.pos - 1]?.event;
      if (stored === undefined || !isSameEvent(stored, event)) {
        this.#faults.report('told-as-stored', `${replica} told ${event.type} at ${event.pos}`);
      }
      const last = this.#toldUpTo.get(replica) ?? 0;
      if (event.pos <= last)
        this.#faults.report('told-once', `${replica} told ${event.pos} after ${last}`);
      this.#toldUpTo.set(replica, event.pos);
    }
  }

  /** What can only be said at the end, when everything has come to rest. */
  finish(): void {
    this.#keysHold();
    this.#submissionsHold();
    this.#decisionsHold();
    for (const asked of this.#all) {
      if (typeof asked.answer === 'object') this.#isDurable(asked, asked.answer);
    }
  }

  /** Nothing is acknowledged before it is committed, and what was acknowledged stays. */
  #isDurable({ command, replica }: Asked, reply: Reply): void {
    const { world, purged } = this.#db;
    const isGone = (table: 'runs' | 'tasks', id = ''): boolean =>
      world.row(table, id) === null && !purged.has(id);
    const lacks = (what: string): void =>
      this.#faults.report('acknowledged-is-durable', `${replica}: ${command.type}: no ${what}`);
    if (command.type === 'run.create' && isGone('runs', reply.run)) lacks('run');
    if (command.type === 'task.create' && isGone('tasks', reply.task)) lacks('task');
    if (command.type === 'await.open' && reply.await !== undefined) {
      const isLost = world.row('awaits', reply.await) === null && !purged.has(reply.task ?? '');
      if (isLost) lacks('await');
    }
    if (command.type === 'checkpoint.resolve') {
      const status = world.row('checkpoints', command.checkpoint)?.status;
      if (status === 'open') lacks('decision');
    }
    const isReport =
      command.type === 'attempt.complete' ||
      command.type === 'attempt.fail' ||
      command.type === 'attempt.release';
    if (isReport) {
      const status = world.row('attempts', command.attempt)?.status ?? 'succeeded';
      if (isOpenAttempt(status) || status === 'stopping')
        lacks(`end of attempt ${command.attempt}`);
      const isWhole = command.type === 'attempt.complete' && reply.already !== true;
      if (isWhole && status === 'lost') lacks(`result of attempt ${command.attempt}, it is lost`);
    }
    if (command.type === 'attempt.start') {
      if (world.row('attempts', command.attempt)?.status === 'claimed') lacks('start');
    }
  }

  /** An accepted write of an attempt came from its holder, under its epoch, while it was open. */
  #isFenced({ command, afterCommit }: Asked, reply: Reply): void {
    if (!('attempt' in command) || !('body' in command)) return;
    const life = this.#checks.attempts.get(command.attempt);
    if (life === undefined) return;
    const say = (text: string): void =>
      this.#faults.report('fencing', `${command.type} of ${command.attempt} was accepted ${text}`);
    if (life.epoch !== command.body.epoch)
      say(`under epoch ${command.body.epoch}, it has ${life.epoch}`);
    if (command.worker !== null && command.worker !== life.workerId)
      say(`from ${command.worker}, it is held by ${life.workerId}`);
    const wasOver = life.endedIn !== undefined && life.endedIn <= afterCommit;
    if (wasOver && reply.already !== true) say('after it had ended');
  }

  /** A key takes effect once, whatever is sent under it. */
  #keysHold(): void {
    const byKey = new Map<string, Asked[]>();
    for (const asked of this.#all) {
      const { idempotency } = asked.options;
      if (idempotency === undefined || typeof asked.answer !== 'object') continue;
      const key = `${idempotency.scope} ${idempotency.key}`;
      byKey.set(key, [...(byKey.get(key) ?? []), asked]);
    }
    for (const [key, all] of byKey) {
      const answers = new Set(all.map((it) => JSON.stringify(it.answer)));
      const bodies = new Set(all.map((it) => it.options.idempotency?.requestSha256));
      if (answers.size > 1) this.#faults.report('one-effect', `key ${key} had several answers`);
      if (bodies.size > 1) this.#faults.report('one-effect', `key ${key} took several bodies`);
    }
  }

  /** A submission makes a run at most once; when it was refused, never; when accepted, surely. */
  #submissionsHold(): void {
    const byGoal = new Map<string, Asked[]>();
    for (const asked of this.#all) {
      if (asked.command.type !== 'run.create') continue;
      const { goal } = asked.command.body;
      byGoal.set(goal, [...(byGoal.get(goal) ?? []), asked]);
    }
    const made = new Map<string, number>();
    for (const { event } of this.#db.written) {
      if (event.type !== 'run.created' || event.cause !== 'run.create') continue;
      const goal = String(event.data['goal']);
      made.set(goal, (made.get(goal) ?? 0) + 1);
    }
    for (const [goal, all] of byGoal) {
      const count = made.get(goal) ?? 0;
      const hasKey = all[0]?.options.idempotency !== undefined;
      const atMost = hasKey ? 1 : all.length;
      if (count > atMost) this.#faults.report('one-effect', `${goal}: ${count} runs of ${atMost}`);
      const isClear = all.every((it) => typeof it.answer === 'string' && !UNCLEAR.has(it.answer));
      if (isClear && count > 0) this.#faults.report('truth-told', `${goal} was refused and made`);
      const isMade = all.some((it) => typeof it.answer === 'object');
      if (isMade && count === 0)
        this.#faults.report('truth-told', `${goal} was accepted, not made`);
    }
  }

  /** Of all that decide a checkpoint, one is told that it did. */
  #decisionsHold(): void {
    const winners = new Map<string, number>();
    for (const { command, answer, options } of this.#all) {
      if (command.type !== 'checkpoint.resolve' || typeof answer !== 'object') continue;
      if (answer.already === true || options.idempotency !== undefined) continue;
      winners.set(command.checkpoint, (winners.get(command.checkpoint) ?? 0) + 1);
    }
    for (const [id, count] of winners) {
      if (count > 1) this.#faults.report('one-decision', `${count} decided checkpoint ${id}`);
    }
  }
}

function isPoison(command: Command): boolean {
  return command.type === 'run.create' && command.body.goal.startsWith(POISON);
}

/** What readers see of an event. */
function isSameEvent(a: NewEvent, b: NewEvent): boolean {
  return a.type === b.type && a.runId === b.runId && a.runSeq === b.runSeq && a.atMs === b.atMs;
}

/** As the server tells it: a database that does not answer is no bug. */
function codeOfFailure(error: unknown): string {
  if (error instanceof AppError) return error.code;
  return error instanceof StoreError && error.kind !== 'data' ? 'store_unavailable' : 'bug';
}
