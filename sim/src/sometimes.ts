/**
 * Situations that matter and that chance must lead to again and again. A run over many seeds in which one
 * of them never came up tests less than it says, and fails.
 */
export const SITUATIONS = [
  'a write of an old epoch was refused',
  'a write with a wrong epoch was refused',
  'a completion was repeated and got its first answer',
  'a completion was told again with other words',
  'an attempt was lost to its lease',
  'an attempt was lost because its worker came back without it',
  'an attempt was lost because its worker did not name it',
  'a grace was given',
  'a task was tried again',
  'a backoff was waited for',
  'a poisoned task was given up',
  'a question was answered',
  'a question was answered twice',
  'a deadline decided a question',
  'a decision came after the deadline',
  'a run was cancelled with attempts at work',
  'a finished task was retried',
  'a run reopened',
  'a lock was waited for',
  'a COMMIT came late',
  'a replica died before a COMMIT',
  'a replica died after a COMMIT and before its answer',
  'a replica stood still for longer than a lease',
  'the database was away',
  'the clock of the database went back',
  'a request was sent again under its key',
  'a key was used with another body',
  'a bad command was cut out of its batch',
  'a reader came back to an older place',
  'an assignment was delivered again',
  'two replicas wrote in turn',
  'a delivery was ordered',
  'an agent handed a task on',
  'an agent was woken by what it waited for',
  'an await ran out of time',
  'an attempt was held without its process',
  'a removed worker joined anew',
  'a worker was removed with work',
  'a run was planned anew',
  'a run was paused for want of money',
  'a run was purged',
  'a reader was told to read anew',
  'a reader began with a snapshot',
  'a verdict was given',
  'a verdict on an older result was dropped',
  'a task started under a limit',
  'a task started under a rate',
  'runs took turns',
  'a task was purged out of a run that stays',
  'a batch was decided ahead',
  'a batch decided ahead was refused',
  'two batches were under way at once',
  'an unknown write was found done',
  'an unknown write was found undone',
  'a late write was fenced off',
] as const;
export type Situation = (typeof SITUATIONS)[number];

/** Counts how often each situation came up. */
export class Sometimes {
  readonly counts = new Map<Situation, number>();

  saw(situation: Situation): void {
    this.counts.set(situation, (this.counts.get(situation) ?? 0) + 1);
  }

  addAll(other: Sometimes): void {
    for (const [situation, count] of other.counts) {
      this.counts.set(situation, (this.counts.get(situation) ?? 0) + count);
    }
  }

  /** Situations that never came up. */
  never(): Situation[] {
    return SITUATIONS.filter((it) => !this.counts.has(it));
  }
}
