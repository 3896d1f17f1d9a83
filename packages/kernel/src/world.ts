import type { Turns } from './matching/queue-order.ts';
import type { TableName, Tables } from './rows.ts';

/**
 * Rows that can be asked for together, and what the id means:
 * edges out of and into a task, all of a run, what is open for a task or worker, and so on.
 * Which rows are on a list is defined once, in `LISTS` (lists.ts); its loader is in the store.
 */
export interface Lists {
  readonly tasksOfRun: 'tasks';
  readonly specsOfRun: 'taskSpecs';
  readonly dependenciesOfRun: 'dependencies';
  readonly edgesOut: 'dependencies';
  readonly edgesIn: 'dependencies';
  readonly outputsOfTask: 'outputs';
  readonly artifactsOfTask: 'artifacts';
  readonly notesOfTask: 'notes';
  readonly timersOfTask: 'timers';
  readonly timersOfRun: 'timers';
  readonly openCheckpointsOfTask: 'checkpoints';
  readonly openCheckpointsOfRun: 'checkpoints';
  /** Checkpoints of an attempt, open or not (resending is harmless by client id). */
  readonly checkpointsOfAttempt: 'checkpoints';
  /** Attempts that hold a slot of a worker: claimed, running, parked live, stopping. */
  readonly openAttemptsOfWorker: 'attempts';
  /** The same attempts, with no more of them than counting slots takes: see `ListRow`. */
  readonly slotsOfWorker: 'attempts';
  /** Open and stopping attempts of a run. */
  readonly openAttemptsOfRun: 'attempts';
  readonly attemptsOfTask: 'attempts';
  readonly workersOfProject: 'workers';
  /** Runs whose delivery a worker has not reported on. */
  readonly deliveriesOfWorker: 'runs';
  /**
   * Claimable rows (not held) of a project that were found and locked for this batch, and those the
   * batch made. A bounded head of the queue, in no order: fit and order are decided here.
   */
  readonly readyOfProject: 'ready';
  /** What of a large submission is not in the graph yet. */
  readonly planPartsOfRun: 'planParts';
  /** Specs of the tasks that have this one as their parent. */
  readonly childrenOfTask: 'taskSpecs';
  /** Awaits of a task, whatever became of them. */
  readonly awaitsOfTask: 'awaits';
  /** Awaits of a run that are open, or delivered and not yet taken up. */
  readonly awaitsOfRun: 'awaits';
  /** Workers by `<projectId>/<name>`. */
  readonly workerByName: 'workers';
  readonly limitsOfProject: 'limits';
  /** Free places under limits that were found and locked for this batch, and those it gave back. */
  readonly freeSlotsOfProject: 'limitSlots';
  /** All places under a limit, held or free. */
  readonly slotsOfLimit: 'limitSlots';
  /** Places under a limit that are held beyond what it allows now. */
  readonly surplusOfLimit: 'limitSlots';
  readonly parkingsOfProject: 'parkings';
  /** Tasks of a run that wait in the queue for money that open attempts have set aside. */
  readonly unfundedOfRun: 'ready';
  /** Runs that are paused because their budget or the project's is spent. */
  readonly unfundedRunsOfProject: 'runs';
  /** Budgets of a run and of its tasks. */
  readonly budgetsOfRun: 'budgets';
}
export type ListName = keyof Lists;

/** What of an open attempt tells whether it takes a slot. */
export type SlotRow = Pick<Tables['attempts'], 'id' | 'workerId' | 'status' | 'parkMode'>;

/** The rows of a list: whole ones, but for `slotsOfWorker`. */
export type ListRow<L extends ListName> = L extends 'slotsOfWorker' ? SlotRow : Tables[Lists[L]];

/** Something the decision needs that was not loaded. The coordinator loads it and asks again. */
export type Need =
  | { readonly kind: 'row'; readonly table: TableName; readonly id: string }
  | { readonly kind: 'list'; readonly list: ListName; readonly id: string }
  | { readonly kind: 'validation'; readonly schema: unknown; readonly data: unknown }
  | { readonly kind: 'schema'; readonly schema: unknown };

/**
 * What is loaded. `undefined` = not loaded (a need), `null` = known to be absent.
 * Lists are as loaded from the database; `openDraft` lays the batch's own changes over them.
 */
export interface World {
  row<T extends TableName>(table: T, id: string): Tables[T] | null | undefined;
  list<L extends ListName>(list: L, id: string): readonly ListRow<L>[] | undefined;
}

/** A row that is new, changed or gone (`row: null`) after a decision. */
export type Change = {
  readonly [T in TableName]: {
    readonly table: T;
    readonly id: string;
    readonly row: Tables[T] | null;
  };
}[TableName];

/** Facts of the moment, given by the coordinator, so that deciding is a function of its arguments. */
export interface Context {
  /** The database's clock, one for the whole batch, epoch milliseconds. */
  readonly nowMs: number;
  /** Number of this database's history; epochs start at `incarnation * 2^32`. */
  readonly incarnation: number;
  /** A new id with a prefix of `ID_PREFIXES`: `run_...`. Sorts by age. */
  readonly newId: (prefix: string) => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Hex sha256 of text. */
  readonly sha256: (text: string) => string;
  /** Ever growing number for queue order. */
  readonly nextSeq: () => number;
  /** Schema violations of a contract's data; empty = valid; undefined = not computed yet (a need). */
  readonly violations: (schema: unknown, data: unknown) => readonly string[] | undefined;
  /** What is wrong with a JSON Schema itself; null = nothing; undefined = not computed yet (a need). */
  readonly schemaFault: (schema: unknown) => string | null | undefined;
  /** Keys that have a limit in a project; may be behind: only the queue's grouping rests on it. */
  readonly limitedKeys: (project: string) => ReadonlySet<string>;
  /** How far turns in a project have come; may be behind. */
  readonly turnsOf: (project: string) => Turns;
  /** Engine names known here: built in, or ever advertised by a worker of the project. */
  readonly engines: (project: string) => readonly string[];
  /** A worker that was silent this long gets no work, and so on; milliseconds. */
  readonly silentMs: number;
  readonly offlineMs: number;
  readonly heartbeatMs: number;
  /** How large people may make a run; absent: as `LIMITS` says. */
  readonly runSize?: RunSize;
}

/** How many tasks and dependencies a run may have. An operator's setting. */
export interface RunSize {
  readonly tasksMax: number;
  readonly dependenciesMax: number;
}
