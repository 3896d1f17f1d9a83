/** The closed sets of statuses and kinds that cross the wire. Order is the order of a life. */
export const RUN_STATUSES = [
  'planning',
  'running',
  'waiting',
  'paused',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const TASK_STATUSES = [
  'blocked',
  'awaiting_approval',
  'ready',
  'running',
  'waiting',
  'verifying',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'skipped',
  'superseded',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const ATTEMPT_STATUSES = [
  'claimed',
  'running',
  'parked',
  'stopping',
  'succeeded',
  'failed',
  'lost',
  'timed_out',
  'cancelled',
  'released',
] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

export const FAILURE_CLASSES = [
  'agent_error',
  'contract_violation',
  'verification_rejected',
  'timeout',
  'idle_timeout',
  'lost',
  'rate_limited',
  'auth',
  'quota',
  'workspace',
  'environment',
  'budget',
  'cancelled',
  'internal',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export const CHECKPOINT_KINDS = [
  'question',
  'dispatch_approval',
  'plan_approval',
  'permission',
  'review',
] as const;
export type CheckpointKind = (typeof CHECKPOINT_KINDS)[number];

export const CHECKPOINT_STATUSES = [
  'open',
  'resolved',
  'timed_out',
  'cancelled',
  'superseded',
] as const;
export type CheckpointStatus = (typeof CHECKPOINT_STATUSES)[number];

export const WORKER_STATUSES = ['online', 'busy', 'draining', 'silent', 'offline'] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

export const DEPENDENCY_TYPES = ['blocks', 'input', 'gate', 'related'] as const;
export type DependencyType = (typeof DEPENDENCY_TYPES)[number];

export const DEPENDENCY_RULES = ['success', 'done', 'failure'] as const;
export type DependencyRule = (typeof DEPENDENCY_RULES)[number];

export const TASK_KINDS = [
  'agent',
  'command',
  'plan',
  'verify',
  'integrate',
  'join',
  'human',
] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const ROLES = [
  'planner',
  'implementer',
  'verifier',
  'integrator',
  'reducer',
  'loop_controller',
  'reviewer',
] as const;
export type Role = (typeof ROLES)[number];

export const TASK_TYPES = ['feature', 'bugfix', 'refactor', 'chore', 'docs'] as const;
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

export const CONTRACT_TYPES = [
  'api_schema',
  'db_schema',
  'config_schema',
  'auth_middleware',
  'test_results',
  'build_artifacts',
  'deploy_status',
  'ui_components',
  'module_export',
  'patch',
  'text',
  'json',
] as const;

export const WORKSPACE_MODES = ['worktree', 'clone', 'scratch', 'in_place'] as const;
export type WorkspaceMode = (typeof WORKSPACE_MODES)[number];

export const DELIVERIES = ['branch', 'merge', 'pull_request', 'none'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** True when a task of this status will not move again by itself. */
export function isTerminalTask(status: TaskStatus): boolean {
  return (
    status === 'completed' ||
    status === 'failed' ||
    status === 'cancelled' ||
    status === 'skipped' ||
    status === 'superseded'
  );
}

/** True when a run of this status will not move again by itself. */
export function isTerminalRun(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** True while the worker that holds the attempt may write for it. */
export function isOpenAttempt(status: AttemptStatus): boolean {
  return status === 'claimed' || status === 'running' || status === 'parked';
}

/** True while the attempt takes a slot of its worker: open, or its process is still being ended. */
export function holdsSlot(status: AttemptStatus): boolean {
  return isOpenAttempt(status) || status === 'stopping';
}
