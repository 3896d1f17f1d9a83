export { LISTS } from './lists.ts';
export { type Decide, type Decision, type Reply } from './decide.ts';
export {
  TIMER_KINDS,
  type ArtifactRow,
  type AttemptRow,
  type CheckpointRow,
  type DependencyRow,
  type HardNeeds,
  type JoinTokenRow,
  type NeedsRow,
  type NewEvent,
  type NoteRow,
  type OutputRow,
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
export {
  type Change,
  type Context,
  type ListName,
  type Lists,
  type Need,
  type World,
} from './world.ts';
