// Runs, their tasks and edges.
import type {
  BudgetSpec,
  Delivery,
  DeliveryState,
  DeliveryOrder,
  DependencyRule,
  DependencyType,
  FailureClass,
  Json,
  RunPolicy,
  RunStatus,
  TaskKind,
  TaskPlan,
  TaskSpec,
  TaskStatus,
  VerificationState,
  Verifies,
} from '@baton/contract';

/** Money in millionths of a dollar. */
export type UsdMicros = number;

export interface RunRow {
  readonly id: string;
  readonly projectId: string;
  readonly goal: string;
  readonly status: RunStatus;
  readonly reason: string | null;
  readonly planning: 'idle' | 'active';
  readonly source: string;
  readonly input: Readonly<Record<string, Json>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: RunPolicy;
  readonly budgets: BudgetSpec | null;
  readonly deliver: Delivery;
  readonly delivery: DeliveryState;
  /** The order that `deliveryWorkerId` has not reported on yet. */
  readonly deliveryOrder: DeliveryOrder | null;
  readonly deliveryWorkerId: string | null;
  /** `repo@ref` -> commit that tasks of this run start from; the first worker to say wins. */
  readonly bases: Readonly<Record<string, string>>;
  readonly planVersion: number;
  /** `run_seq` of the newest event. */
  readonly seq: number;
  readonly taskCount: number;
  /** Tasks that are not terminal. */
  readonly openTasks: number;
  /** Of those, blocked for good while nothing upstream is redone. */
  readonly outOfPlay: number;
  /** Tasks that move without a person: running, verifying, or ready and not held for an assignment. */
  readonly activeTasks: number;
  readonly failedTasks: number;
  readonly cancelledTasks: number;
  /** Open checkpoints. */
  readonly needsHuman: number;
  /** Awaits of its tasks that are open, or delivered and not yet taken up. */
  readonly openAwaits: number;
  /** The open checkpoint of the run itself: while it is open, nothing more of the run is handed out. */
  readonly barrierId: string | null;
  readonly usdMicros: UsdMicros;
  /** Virtual time at which the next task of it that becomes ready gets its turn. */
  readonly pass: number;
  readonly lineageRoot: string;
  readonly rerunOf: string | null;
  readonly origin: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number;
  /** Deleted: shown to nobody any more, kept until it is purged. */
  readonly deletedAtMs: number | null;
  /** Since when it is being purged, step by step; its row is the last to go. */
  readonly purgeAtMs: number | null;
}

/** The hot half of a task: what changes while it lives. */
export interface TaskRow {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
  readonly key: string;
  /** Place in the plan; ties in queue order and merges follow it. */
  readonly position: number;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly reason: string | null;
  readonly pausedFrom: TaskStatus | null;
  readonly generation: number;
  readonly epoch: number;
  readonly planVersion: number;
  /** Required in-edges that are not satisfied. */
  readonly pending: number;
  /** Blocked with an upstream that failed, was cancelled or skipped. */
  readonly outOfPlay: boolean;
  /** A dispatch approval was given in this generation. */
  readonly approved: boolean;
  /** Counted attempts of this generation. */
  readonly attemptCount: number;
  /** Attempts in a row that were not counted (lost, released ...). */
  readonly freeRetries: number;
  /** The open or newest attempt. */
  readonly attemptId: string | null;
  /** The attempt whose result stands. */
  readonly resultAttemptId: string | null;
  readonly workerId: string | null;
  /** Name of the worker a person assigned it to. */
  readonly assignedWorker: string | null;
  readonly needsId: string;
  /** 0 critical, 1 high, 2 normal, 3 low. */
  readonly priority: number;
  readonly checkpointId: string | null;
  readonly progress: {
    readonly percent: number | null;
    readonly text: string;
    readonly at: string;
  } | null;
  readonly outdated: boolean;
  /** The check of its newest result; null without a verification policy. Ids are internal ones. */
  readonly verification: VerificationState | null;
  /** What it checks, when the kernel made it for that; null of all others. */
  readonly verifies: Verifies | null;
  /** A reviewer rejected its result: gates on it stay shut. */
  readonly rejected: boolean;
  /** The generation of its last clean start: failures of older ones are not told to its agents. */
  readonly freshGeneration: number;
  readonly failureClass: FailureClass | null;
  readonly feedback: string | null;
  /** The attempt whose workspace and conversation the next claim goes on with, where it can. */
  readonly continueAttemptId: string | null;
  /** What the agent is told when it goes on: `{kind: 'answer' | 'plan' | 'await' | 'resume' | 'feedback', ...}`. */
  readonly wake: Json;
  readonly retryAtMs: number | null;
  readonly usdMicros: UsdMicros;
  readonly createdAtMs: number;
  readonly readyAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number;
  /** Deleted: shown to nobody and counted nowhere any more, kept until it is purged. */
  readonly deletedAtMs: number | null;
  readonly purgeAtMs: number | null;
}

/** The cold half of a task: what was asked for. Key is `taskId`. */
export interface TaskSpecRow {
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly title: string;
  readonly spec: TaskSpec;
  readonly review: {
    readonly state: 'none' | 'approved' | 'changes_requested' | 'rejected';
    readonly by: string | null;
    readonly at: string | null;
    readonly note: string | null;
  };
  /** The plan its agent handed in last, and what a person said to it. */
  readonly plan: TaskPlan | null;
  readonly parentTaskId: string | null;
  readonly rerunOf: string | null;
  /** What made it, where a program did: the attempt whose agent handed it on. */
  readonly origin: string | null;
  /** How far below a task without a parent it is; 0 for that one. */
  readonly depth: number;
  /** What work of its parent it is: tasks of one chain are tries of the same. Null without a parent. */
  readonly chain: string | null;
  /** Times in a row that this work failed, over the whole chain. */
  readonly failuresInRow: number;
  /** Times its awaits resumed its agent since a person last had a say in it. */
  readonly wakes: number;
}

export interface DependencyRow {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
  readonly upstreamId: string;
  readonly downstreamId: string;
  readonly type: DependencyType;
  readonly contractKey: string | null;
  readonly inputName: string | null;
  readonly rule: DependencyRule;
  readonly satisfied: boolean;
  readonly planVersion: number;
}
