import type {
  ActionKind,
  ActionStatus,
  Actor,
  AttemptStatus,
  AwaitPolicy,
  AwaitResult,
  AwaitStatus,
  BudgetSpec,
  Capabilities,
  CheckpointKind,
  CheckpointStatus,
  Delivery,
  DeliveryState,
  DeliveryOrder,
  DependencyRule,
  DependencyType,
  EffectClass,
  EventType,
  FailureClass,
  Json,
  Needs,
  Resolution,
  RunPolicy,
  RunStatus,
  TaskKind,
  TaskPlan,
  TaskResult,
  TaskSpec,
  TaskStatus,
  Usage,
  VerificationState,
  Verifies,
} from '@baton/contract';

/**
 * What is stored, as the kernel sees it. One interface per table; property names are the columns' in
 * camelCase. Instants are epoch milliseconds of the database's clock. Rows are never changed in place.
 * Documents (spec, policy, result ...) keep their wire names.
 */

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

export const TIMER_KINDS = [
  'retry_backoff',
  'checkpoint_deadline',
  'queue_timeout',
  'continue_timeout',
  'start_timeout',
  'run_timeout',
  'idle_timeout',
  'approval_timeout',
  'stopping_deadline',
  'delivery_deadline',
  'await_deadline',
  'plan_step',
] as const;
export type TimerKind = (typeof TIMER_KINDS)[number];

/** Fires once at `dueAtMs`, and only if `guard` still equals the epoch or generation it was set for. */
export interface TimerRow {
  readonly id: string;
  readonly projectId: string;
  readonly runId: string;
  readonly taskId: string | null;
  readonly attemptId: string | null;
  readonly checkpointId: string | null;
  readonly kind: TimerKind;
  readonly guard: number;
  readonly dueAtMs: number;
}

/** Claimable work: one row exactly while its task is `ready`. Key is `taskId`. Insert and delete only. */
export interface ReadyRow {
  readonly taskId: string;
  readonly runId: string;
  readonly projectId: string;
  readonly needsId: string;
  readonly priority: number;
  /** Its turn in the virtual time of its project: runs that have work take turns (`queue-order.ts`). */
  readonly pass: number;
  /** Ever growing: older work first. */
  readonly seq: number;
  /** Why nobody may take it now (`backoff`, `waiting_for_assignment`), or null when anybody fit may. */
  readonly held: string | null;
}

/** A task of a submission that is written in steps, with the id and needs that it will have. */
export interface PlannedTask {
  readonly id: string;
  readonly key: string;
  readonly position: number;
  readonly pending: number;
  readonly needsId: string;
  readonly spec: TaskSpec;
}

/** An edge of such a submission, by the ids of its ends. */
export interface PlannedEdge {
  readonly upstream: string;
  readonly downstream: string;
  readonly type: DependencyType;
  readonly on: DependencyRule;
  readonly contract_key?: string | undefined;
  readonly as?: string | undefined;
}

/** A piece of a large submission that is not in the graph yet. Id is `<runId>/<part>`. */
export interface PlanPartRow {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
  /** Parts are written in this order; 0 first. */
  readonly part: number;
  readonly tasks: readonly PlannedTask[];
  readonly edges: readonly PlannedEdge[];
}

/** One distinct set of hard needs, so that fitting is computed once per set and not per task. */
export interface NeedsRow {
  readonly id: string;
  readonly projectId: string;
  readonly needs: HardNeeds;
}

/** What a worker must have; the normal form that `needsId` is the hash of. */
export interface HardNeeds {
  /** Null: any authenticated engine. */
  readonly engine: string | null;
  readonly worker: string | null;
  readonly selector: NonNullable<Needs['selector']>;
  readonly repo: string | null;
  readonly tools: readonly string[];
  readonly environment: string | null;
  /** Engine to go on with while a provider refuses the wanted one; left out where there is none. */
  readonly fallbackEngine?: string;
  /** Keys that have a limit and that it counts under, its engine's apart; left out where there are none. */
  readonly keys?: readonly string[];
}

export interface WorkerRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly machineId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly capabilities: Capabilities;
  readonly slots: number;
  readonly draining: boolean;
  /** It said that it is about to end; its next start takes that back. */
  readonly leaving: boolean;
  readonly ephemeral: boolean;
  readonly version: string | null;
  readonly keyHash: string;
  /** Of the daemon start that is connected now; null while no link is open. */
  readonly incarnation: string | null;
  /** The last status that was told as an event: online, silent or offline. */
  readonly presence: 'online' | 'silent' | 'offline';
  readonly lastSeenAtMs: number | null;
  readonly lastClaimAtMs: number | null;
  /** Repositories it worked in lately, normalised; a warm one scores. */
  readonly warmRepos: readonly string[];
  readonly registeredAtMs: number;
}

export interface JoinTokenRow {
  readonly id: string;
  readonly projectId: string;
  readonly tokenHash: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxUses: number;
  readonly uses: number;
  readonly ephemeral: boolean;
  readonly expiresAtMs: number;
  readonly createdBy: string;
}

/** What a key allows in a project. Id is `<projectId>/<key>`. */
export interface LimitRow {
  readonly id: string;
  readonly projectId: string;
  readonly key: string;
  /** Tasks that run at a time: there are as many places. Null: any number. */
  readonly maxRunning: number | null;
  readonly ratePerMinute: number | null;
  readonly burst: number;
  /** Epoch milliseconds at which the next start is due by the rate alone (GCRA); 0: none was yet. */
  readonly tat: number;
  readonly updatedAtMs: number;
}

/** A place under a limit: held by one attempt or free. Id is `<limitId>#<no>`. */
export interface LimitSlotRow {
  readonly id: string;
  readonly projectId: string;
  readonly limitId: string;
  readonly no: number;
  /** Who holds it; empty: it is free. */
  readonly attemptId: string;
  readonly taskId: string;
  /** Beyond what the limit allows now: it goes when it is given back. */
  readonly surplus: boolean;
}

/** A provider refuses an engine for an account until `untilMs`. Id is `<projectId>/<engine>/<who>`. */
export interface ParkingRow {
  readonly id: string;
  readonly projectId: string;
  readonly engine: string;
  /** As the worker tells it; null: this worker's own. */
  readonly account: string | null;
  readonly workerId: string;
  readonly untilMs: number;
  readonly reason: string;
}

/** What a project, run or task may cost, and where it stands. Id is that of the project, run or task. */
export interface BudgetRow {
  readonly id: string;
  readonly projectId: string;
  readonly scope: 'project' | 'run' | 'task';
  /** Null for a project's. */
  readonly runId: string | null;
  readonly limitMicros: UsdMicros;
  readonly spentMicros: UsdMicros;
  /** Set aside for open attempts and not spent by them. */
  readonly reservedMicros: UsdMicros;
  /** Set aside for each attempt before it starts. */
  readonly reserveMicros: UsdMicros;
  readonly warned: boolean;
}

/** Every table the kernel decides over, by name. */
export interface Tables {
  readonly runs: RunRow;
  readonly tasks: TaskRow;
  readonly taskSpecs: TaskSpecRow;
  readonly dependencies: DependencyRow;
  readonly attempts: AttemptRow;
  readonly checkpoints: CheckpointRow;
  readonly outputs: OutputRow;
  readonly artifacts: ArtifactRow;
  readonly notes: NoteRow;
  readonly awaits: AwaitRow;
  readonly actions: ActionRow;
  readonly timers: TimerRow;
  readonly planParts: PlanPartRow;
  readonly ready: ReadyRow;
  readonly needs: NeedsRow;
  readonly workers: WorkerRow;
  readonly joinTokens: JoinTokenRow;
  readonly limits: LimitRow;
  readonly limitSlots: LimitSlotRow;
  readonly parkings: ParkingRow;
  readonly budgets: BudgetRow;
}
export type TableName = keyof Tables;

/** An event as the kernel makes it; the store numbers it at commit. */
export interface NewEvent {
  readonly projectId: string;
  readonly runId: string | null;
  /** Dense in its run; null for events of no run. */
  readonly runSeq: number | null;
  readonly taskId: string | null;
  readonly attemptId: string | null;
  readonly type: EventType;
  readonly actor: Actor;
  readonly cause: string | null;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}
