export { buildAssignment, type AssignmentRows } from './assignment.ts';
export {
  ATTEMPT_INPUTS,
  ATTEMPT_MACHINE,
  type AttemptInput,
  type AttemptMachine,
} from './attempt/attempt-machine.ts';
export { takesSlot } from './attempt/slots.ts';
export {
  CHECKPOINT_INPUTS,
  CHECKPOINT_MACHINE,
  type CheckpointInput,
  type CheckpointMachine,
} from './checkpoint/checkpoint-machine.ts';
export { needsToStart } from './commands/work-dispatch.ts';
export { decide } from './decide.ts';
export { isYield, type StopOrder } from './attempt/stop-order.ts';
export { type Decide, type Decision, type Reply } from './decision.ts';
export { rowKey } from './draft.ts';
export { explain, type Explained } from './explain/explain.ts';
export { explainRun } from './explain/explain-run.ts';
export { findCycle } from './graph/find-cycle.ts';
export { expandGoal, type ExpandedGoal } from './graph/expand-goal.ts';
export { LISTS } from './lists.ts';
export { plan } from './load-plan.ts';
export { lockPlan, type LockPlan } from './lock-plan.ts';
export { Gates, type GateRows, type Shut } from './limits/gates.ts';
export { normaliseKey } from './limits/limit-keys.ts';
export { nextStartMs } from './limits/rate.ts';
export { decimalUsd } from './money.ts';
export { enginesOf, fits, misfits } from './matching/fits.ts';
export { hardNeedsOf } from './matching/hard-needs.ts';
export { SEQ_PER_MS, type Turns } from './matching/queue-order.ts';
export { normaliseRepo } from './matching/repo-name.ts';
export {
  SCORE_POINTS,
  scoreParts,
  totalScore,
  type ScoreFacts,
  type ScoreParts,
} from './matching/score.ts';
export { modelLimits, overAsked } from './run/model-limits.ts';
export { RETRY_RULES } from './retry/retry-policy.ts';
export {
  TIMER_KINDS,
  type ArtifactRow,
  type AttemptHolds,
  type ActionRow,
  type AttemptRow,
  type AwaitRow,
  type BudgetRow,
  type CheckpointRow,
  type DependencyRow,
  type HardNeeds,
  type JoinTokenRow,
  type LimitRow,
  type LimitSlotRow,
  type NeedsRow,
  type NewEvent,
  type NoteRow,
  type OutputRow,
  type ParkingRow,
  type PlannedEdge,
  type PlannedTask,
  type PlanPartRow,
  type ReadyRow,
  type RunRow,
  type TableName,
  type Tables,
  type TaskRow,
  type TaskSpecRow,
  type TimerKind,
  type TimerRow,
  type UsdMicros,
  type WorkerRow,
} from './rows.ts';
export { RUN_INPUTS, RUN_MACHINE, type RunInput, type RunMachine } from './run/run-machine.ts';
export {
  TASK_INPUTS,
  TASK_MACHINE,
  type TaskInput,
  type TaskMachine,
} from './task/task-machine.ts';
export {
  type Change,
  type Context,
  type RunSize,
  type ListName,
  type ListRow,
  type Lists,
  type Need,
  type SlotRow,
  type World,
} from './world.ts';
