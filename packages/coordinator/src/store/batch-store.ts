import type {
  LimitSlotRow,
  ListName,
  Lists,
  NewEvent,
  ReadyRow,
  SlotRow,
  TableName,
  Tables,
} from '@baton/kernel';
import type {
  BatchNames,
  EventPlace,
  IdempotencyKey,
  IdempotentReply,
  RowChange,
  TransactionOutcome,
} from '@baton/store';

/** Lists that are loaded by their owner's id; what claims take is locked and loaded at once, apart. */
export type StoredList = Exclude<
  ListName,
  'readyOfProject' | 'freeSlotsOfProject' | 'slotsOfWorker'
>;

/** What a transaction knows once its first locks are held. */
export interface Opened {
  /** The store's clock, as it was when the locks were held, epoch milliseconds; undefined: it was not asked. */
  readonly nowMs: number | undefined;
  /** Runs of the named tasks, attempts, checkpoints and timers, ascending: to be locked next. */
  readonly runs: readonly string[];
  /** First answers to the named idempotency keys, by `idempotencyId`. */
  readonly repeated: ReadonlyMap<string, IdempotentReply>;
  /** How often the row of each locked worker was changed. */
  readonly workers: ReadonlyMap<string, number>;
}

/** Everything a batch leaves behind, written as one. */
export interface BatchWrites {
  readonly rows: readonly RowChange[];
  readonly idempotent: readonly (IdempotencyKey & IdempotentReply)[];
  readonly events: readonly NewEvent[];
  readonly nowMs: number;
  /** Runs of which anything changed: the version of each is raised by one. New ones begin at 0. */
  readonly changedRuns: ReadonlySet<string>;
  /** What the feed's end is marked with by this commit: a new id each time. Counts only with events. */
  readonly mark: string;
}

/** The end of the feed. Two that are equal are one and the same state of it. */
export interface FeedState {
  /** Position of the next event. */
  readonly nextPos: number;
  readonly incarnation: number;
  /**
   * Given by the last commit that told events, or by the last fence, and by no other: the next position
   * alone could be the same after one batch failed and another one, elsewhere, told as many events.
   */
  readonly mark: string;
}

/** Where the first event of a commit stands, and the end of the feed right behind its last one. */
export interface Placed extends EventPlace {
  readonly feed: FeedState;
}

/** What a batch that was decided from memory takes for granted, and has checked where it is written. */
export interface Premises {
  readonly feed: FeedState;
  /** Runs whose rows it read, with their versions. */
  readonly runs: ReadonlyMap<string, number>;
  /** Workers whose rows it read, with how often they were changed. */
  readonly workers: ReadonlyMap<string, number>;
  /** Projects in which it hands out work: nobody changes their limits meanwhile. */
  readonly limitsOf: readonly string[];
}

/** Locked rows, and the versions of their runs. */
export interface Candidates {
  readonly rows: readonly ReadyRow[];
  readonly versions: ReadonlyMap<string, number>;
}

/**
 * One open transaction of a batch. Calls take effect in the order they are made, whether or not the one
 * before was waited for. Every failure is a `StoreError`; after the first one nothing was done.
 */
export interface BatchTx {
  /**
   * Holds idempotency keys, join tokens and workers, waiting for those who hold them, then tells what
   * to lock next. Names of workers are `<projectId>/<name>`.
   */
  open(names: BatchNames): Promise<Opened>;
  /**
   * Locks runs, which are given ascending, waiting for those who hold them. Tells their versions: the
   * number of batches that changed anything of them. Runs that do not exist are not in the map.
   */
  lockRuns(runs: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Heads of the queues of some needs, at most `limitPerNeeds` each, locked together with their runs; what others hold is skipped. Best first. */
  lockCandidates(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<Candidates>;
  /** Heads of the queues of some needs, at most `limitPerNeeds` each, only looked at: what others hold is there too. */
  seeQueue(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<readonly ReadyRow[]>;
  /** Heads of the lower classes of some queues that have risen by waiting, few of each, locked like candidates. */
  lockRisen(
    project: string,
    needsIds: readonly string[],
    nowMs: number,
  ): Promise<readonly ReadyRow[]>;
  /** Free places under the limits of a project, at most `limitPerKey` of each, locked; what others hold is skipped. */
  lockFreeSlots(project: string, limitPerKey: number): Promise<readonly LimitSlotRow[]>;
  /** Rows by key; ids of rows that do not exist are not in the map. */
  loadRows<T extends TableName>(
    table: T,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Tables[T]>>;
  /** Whole lists by owner, with their rows by key; each owner asked for is in the map. */
  loadList<L extends StoredList>(
    list: L,
    owners: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, Tables[Lists[L]]>>>;
  /** The open attempts of workers by worker; each worker asked for is in the map. */
  loadSlots(workers: readonly string[]): Promise<ReadonlyMap<string, readonly SlotRow[]>>;
  /**
   * Writes and commits. Resolves only once that is durable, with the place of the first event
   * (undefined without events); the others follow it without gaps, at the same time. Fails as `retryable`, with nothing done, when a row is not there as it was read:
   * same epoch and status where a table has them.
   * @throws {StoreError} `unknown_outcome` when it cannot be told whether it was committed
   */
  commit(writes: BatchWrites): Promise<Placed | undefined>;
  /** Ends the transaction without a trace. */
  rollback(): Promise<void>;
}

/** What a batch reads through: an open transaction, or what is remembered. */
export type BatchReads = Omit<BatchTx, 'commit' | 'rollback'>;

/** What a batch would find, of one moment; nothing is locked. */
export interface PeekTx extends Pick<BatchTx, 'loadRows' | 'loadList' | 'loadSlots'> {
  /** The end of the feed; what is read after it is of that state, or of a later one. */
  feed(): Promise<FeedState>;
  /** Heads of the queues of some needs, at most `limitPerNeeds` each, best first. */
  candidates(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<readonly ReadyRow[]>;
  /** Free places under the limits of a project, at most `limitPerKey` of each. */
  freeSlots(project: string, limitPerKey: number): Promise<readonly LimitSlotRow[]>;
}

/** Where batches are read from and written to. */
export interface BatchStore {
  /** Runs `work`; what it did not commit when it ends is undone. @throws {StoreError} */
  transaction<T>(work: (tx: BatchTx) => Promise<T>): Promise<T>;
  /**
   * Writes a batch that was decided from memory: in one go, as one transaction that takes the locks of a
   * batch and checks the premises. Need not be waited for before the next one is given: they take effect
   * in the order they are given. Its events are never none. Fails as `retryable`, with nothing done, when a premise does not hold, which includes
   * that one before it failed.
   * @throws {StoreError} `unknown_outcome` when it cannot be told whether it was committed: `fence` it
   */
  write(premises: Premises, writes: BatchWrites): Promise<Placed>;
  /**
   * Marks the feed's end anew: after it nothing that was given to `write` before, here or elsewhere, comes
   * through any more.
   */
  fence(mark: string): Promise<FeedState>;
  /** The events from a position on, `count` at most. */
  readEvents(fromPos: number, count: number): Promise<readonly NewEvent[]>;
  /** Runs `look` over one state of the store; it locks and changes nothing. */
  peek<T>(look: (tx: PeekTx) => Promise<T>): Promise<T>;
  /** What became of the transaction of an `unknown_outcome`; `in_progress`: ask again. */
  outcomeOf(xid: string): Promise<TransactionOutcome>;
  /** Where the event with this number in its run stands in the feed, and when it says it was. */
  findEventPlace(run: string, runSeq: number): Promise<EventPlace | undefined>;
}
