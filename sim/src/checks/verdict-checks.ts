import type { AttemptRow, NewEvent, TaskRow } from '@baton/kernel';
import type { MemoryWorld } from '@baton/kernel/testing';
import type { FaultList } from '../faults-found.ts';
import type { Sometimes } from '../sometimes.ts';
import type { Commit } from '../store/sim-database.ts';

/** What the feed says of the checking of a task's newest result. */
interface Checking {
  readonly attempt: string;
  isAccepted: boolean;
}

/**
 * A verdict counts for the result that it is about and for no other, and no task is complete that needs
 * one and has none. Seen from the feed and the stored specs alone.
 */
export class VerdictChecks {
  readonly #checking = new Map<string, Checking>();
  readonly #faults: FaultList;
  readonly #sometimes: Sometimes;

  constructor(faults: FaultList, sometimes: Sometimes) {
    this.#faults = faults;
    this.#sometimes = sometimes;
  }

  tell(commit: Commit, event: NewEvent, world: MemoryWorld): void {
    const { type, taskId, attemptId, data, cause } = event;
    if (taskId === null) return;
    const now = this.#checking.get(taskId);
    if (type === 'task.verifying')
      this.#checking.set(taskId, { attempt: attemptId ?? '', isAccepted: false });
    if (type === 'verification.dropped')
      this.#sometimes.saw('a verdict on an older result was dropped');
    if (type === 'verification.accepted' || type === 'verification.rejected') {
      this.#sometimes.saw('a verdict was given');
      if (now?.attempt !== data['attempt'])
        this.#say(`task ${taskId} got a verdict on ${String(data['attempt'])}`);
      if (now !== undefined) now.isAccepted = type === 'verification.accepted';
    }
    // A person may judge a result, or take a late one, whatever its checks say.
    const isJudged = cause === 'task.review' || cause === 'attempt.adopt';
    if (type === 'task.completed' && !isJudged) this.#completed(commit, taskId, world);
  }

  #completed(commit: Commit, taskId: string, world: MemoryWorld): void {
    const policy = world.row('taskSpecs', taskId)?.spec.verification;
    const write = commit.writes.find((it) => it.table === 'tasks' && it.id === taskId);
    const task = write?.row as TaskRow | undefined;
    if (policy === undefined || task === undefined || task.resultAttemptId === null) return;
    const { commands, judge, person } = policy.checks;
    if (commands.length === 0 && judge === undefined && (person ?? false) === false) return;
    const result = world.row('attempts', task.resultAttemptId) as AttemptRow | null;
    const now = this.#checking.get(taskId);
    if (now?.isAccepted !== true || now.attempt !== task.resultAttemptId)
      this.#say(`task ${taskId} is complete without a verdict on ${result?.id ?? 'its result'}`);
  }

  #say(text: string): void {
    this.#faults.report('verdict-first', text);
  }
}
