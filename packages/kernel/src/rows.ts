// What is stored, as the kernel sees it. One interface per table; property names are the columns' in
// camelCase. Instants are epoch milliseconds of the database's clock. Rows are never changed in place.
// Documents (spec, policy, result ...) keep their wire names.
import type { Actor, EventType } from '@baton/contract';
import type { RunRow, TaskRow, TaskSpecRow, DependencyRow } from './rows/run-rows.ts';
import type {
  AttemptRow,
  CheckpointRow,
  OutputRow,
  ArtifactRow,
  NoteRow,
  AwaitRow,
  ActionRow,
} from './rows/attempt-rows.ts';
import type { TimerRow, ReadyRow, PlanPartRow, NeedsRow } from './rows/queue-rows.ts';
import type {
  WorkerRow,
  JoinTokenRow,
  LimitRow,
  LimitSlotRow,
  ParkingRow,
  BudgetRow,
} from './rows/worker-rows.ts';

export type { UsdMicros, RunRow, TaskRow, TaskSpecRow, DependencyRow } from './rows/run-rows.ts';
export type {
  AttemptRow,
  AttemptHolds,
  CheckpointRow,
  OutputRow,
  ArtifactRow,
  NoteRow,
  AwaitRow,
  ActionRow,
} from './rows/attempt-rows.ts';
export type {
  TimerKind,
  TimerRow,
  ReadyRow,
  PlannedTask,
  PlannedEdge,
  PlanPartRow,
  NeedsRow,
  HardNeeds,
} from './rows/queue-rows.ts';
export { TIMER_KINDS } from './rows/queue-rows.ts';
export type {
  WorkerRow,
  JoinTokenRow,
  LimitRow,
  LimitSlotRow,
  ParkingRow,
  BudgetRow,
} from './rows/worker-rows.ts';

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
