// What waits, for a time or for a worker.
import type { DependencyRule, DependencyType, Needs, TaskSpec } from '@baton/contract';

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
