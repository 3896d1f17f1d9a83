// Attempts and what they bring.
import type {
  ActionKind,
  ActionStatus,
  AttemptStatus,
  AwaitPolicy,
  AwaitResult,
  AwaitStatus,
  CheckpointKind,
  CheckpointStatus,
  EffectClass,
  FailureClass,
  Json,
  Resolution,
  TaskResult,
  Usage,
} from '@baton/contract';
import type { UsdMicros } from './run-rows.ts';

export interface AttemptRow {
  readonly id: string;
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly number: number;
  readonly generation: number;
  readonly epoch: number;
  readonly workerId: string;
  readonly engine: string;
  readonly status: AttemptStatus;
  readonly failureClass: FailureClass | null;
  readonly reason: string | null;
  readonly conversation: string | null;
  readonly promptSha256: string | null;
  /** What the attempt was given, frozen at claim; see `Assignment`. */
  readonly manifest: Readonly<Record<string, Json>>;
  readonly manifestSha256: string;
  readonly usage: Usage | null;
  readonly exitCode: number | null;
  readonly result: TaskResult | null;
  /** A success that came when the attempt had been ended from this side; a person may adopt it. */
  readonly orphanResult: TaskResult | null;
  /** sha256 of the report that closed it, so that a repeated one gets the first answer. */
  readonly reportSha256: string | null;
  readonly leaseSeconds: number;
  readonly leaseUntilMs: number;
  /**
   * How a parked attempt waits: `live` with its process, or `held`: the process ended, its workspace is
   * kept, and it takes no slot. Null: not parked.
   */
  readonly parkMode: 'live' | 'held' | null;
  /** Beats in a row of its worker that did not name it. */
  readonly missedBeats: number;
  readonly claimedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** What it counts against while it holds its task; null: against nothing. */
  readonly holds: AttemptHolds | null;
}

/** What an attempt keeps from others until it has ended. */
export interface AttemptHolds {
  /** Ids of its places under limits. */
  readonly slots: readonly string[];
  /** Ids of the budgets that its costs are charged to. */
  readonly budgets: readonly string[];
  /** Of what was set aside for it in each of them, what it has not spent yet. */
  readonly reserved: UsdMicros;
}

export interface CheckpointRow {
  readonly id: string;
  readonly projectId: string;
  readonly runId: string;
  readonly taskId: string | null;
  readonly attemptId: string | null;
  readonly clientId: string | null;
  readonly kind: CheckpointKind;
  readonly question: string;
  readonly context: Json;
  readonly options: readonly string[];
  readonly freeform: boolean;
  readonly defaultOption: string | null;
  readonly timeoutAtMs: number | null;
  readonly onTimeout: 'use_default' | 'fail' | 'keep_waiting';
  readonly answerBy: 'human' | 'any';
  readonly resume: 'live' | 'held' | 'new_attempt';
  readonly factsSha256: string | null;
  readonly status: CheckpointStatus;
  readonly resolution: Resolution | null;
  readonly openedBy: string;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
}

/** A fulfilled contract. Id is `<taskId>/<key>/<generation>`: a generation fulfils a key once. */
export interface OutputRow {
  readonly id: string;
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly attemptId: string;
  readonly generation: number;
  readonly key: string;
  readonly type: string;
  readonly data: Json;
  readonly sha256: string;
  readonly fulfilledAtMs: number;
}

export interface ArtifactRow {
  readonly id: string;
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly attemptId: string;
  readonly name: string;
  readonly kind: string;
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
  readonly meta: Readonly<Record<string, Json>>;
  readonly createdAtMs: number;
}

export interface NoteRow {
  readonly id: string;
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly author: string;
  readonly text: string;
  readonly urgent: boolean;
  readonly createdAtMs: number;
}

/** An agent's wait for tasks it handed on. At most one of a task is open. */
export interface AwaitRow {
  readonly id: string;
  readonly projectId: string;
  readonly runId: string;
  readonly taskId: string;
  /** The attempt that ended its turn for it. */
  readonly attemptId: string;
  readonly generation: number;
  readonly tasks: readonly string[];
  /** Some of them are of other runs, whose ends do not show here by themselves. */
  readonly crossesRuns: boolean;
  readonly policy: AwaitPolicy;
  readonly quorum: number | null;
  readonly needed: number;
  readonly status: AwaitStatus;
  /** Closed, and what it delivered was taken up or is void: nothing of it changes any more. */
  readonly settled: boolean;
  readonly partial: boolean;
  readonly results: readonly AwaitResult[];
  readonly deadlineAtMs: number;
  readonly openedAtMs: number;
  readonly closedAtMs: number | null;
}

/** One line of the ledger of what agents did. Id is `<attemptId>/<call>`: a call is on it once. */
export interface ActionRow {
  readonly id: string;
  readonly projectId: string;
  readonly runId: string;
  readonly taskId: string;
  readonly attemptId: string;
  readonly call: string;
  readonly kind: ActionKind;
  readonly name: string;
  readonly target: string;
  readonly effect: EffectClass;
  readonly status: ActionStatus;
  readonly inputSha256: string | null;
  readonly refs: Readonly<Record<string, Json>>;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}
