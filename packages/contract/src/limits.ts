/** Bounds that callers meet. Each name carries its unit; beyond it the call is refused with the bound named. */
export const LIMITS = {
  goalCharsMax: 20_000,
  specCharsMax: 100_000,
  /** How large people may make a run, unless the operator says otherwise; and what an operator may say. */
  tasksPerRunMax: 10_000,
  dependenciesPerRunMax: 50_000,
  tasksPerRunSettingMax: 100_000,
  dependenciesPerRunSettingMax: 500_000,
  submissionBytesMax: 16 * 1024 * 1024,
  bodyBytesMax: 1024 * 1024,
  contractDataBytesMax: 128 * 1024,
  frameBytesMax: 256 * 1024,
  logChunkBytesMax: 128 * 1024,
  artifactBytesMax: 1024 * 1024 * 1024,
  reasonCharsMax: 2_000,
  questionCharsMax: 20_000,
  optionsMax: 20,
  labelsMax: 64,
  pageItemsDefault: 50,
  pageItemsMax: 1_000,
  requestsPerSecondPerKeyMax: 2_000,
  claimWaitSecondsMax: 60,
  concurrencyKeysMax: 16,
  limitRunningMax: 10_000,
  limitRatePerMinuteMax: 1_000_000,
  limitsPerProjectMax: 1_000,
  budgetUsdMax: 1_000_000,
  /** Longest that `POST /tasks/wait` keeps a request open. */
  waitSecondsMax: 300,
  /** Tasks that one wait or await may name. */
  awaitedTasksMax: 256,
  /** Longest deadline of an await. */
  awaitSecondsMax: 7 * 86_400,
  /** How far below a task that no agent made its tasks may be: a child is at 1. */
  spawnDepthMax: 3,
  /** Children of one task that have not ended. */
  openChildrenMax: 8,
  /** Times an agent is resumed by its awaits before a person has said something to its task again. */
  wakesPerHumanTurnMax: 4,
  /** Failures in a row of the same delegated work after which it is not tried again. */
  failuresInRowMax: 3,
  /** Tool calls and the like that one write may report, and that one attempt may have on record. */
  actionsPerWriteMax: 200,
  actionsPerAttemptMax: 20_000,
} as const;

/**
 * What models may add to a run. `preset` holds unless its policy asks for more; nobody gets more than
 * `absolute`: a higher number is lowered to it, and said.
 */
export const MODEL_LIMITS = {
  children_per_plan: { preset: 8, absolute: 32 },
  edges_per_plan: { preset: 16, absolute: 128 },
  tasks_per_run: { preset: 64, absolute: 512 },
  replans: { preset: 8, absolute: 64 },
  depth: { preset: 4, absolute: 16 },
  goal_chars: { preset: 4_000, absolute: 20_000 },
} as const;
export type ModelLimits = Record<keyof typeof MODEL_LIMITS, number>;

/** Values used where a task, run or worker says nothing. Seconds unless the name says otherwise. */
export const DEFAULTS = {
  maxAttempts: 1,
  backoffSeconds: 10,
  backoffFactor: 2,
  maxBackoffSeconds: 3_600,
  maxTurns: 30,
  termToKillSeconds: 5,
  leaseSeconds: 90,
  leaseSecondsMin: 10,
  leaseSecondsMax: 86_400,
  heartbeatSeconds: 10,
  heartbeatJitter: 0.2,
  silentSeconds: 30,
  offlineSeconds: 90,
  staleSeconds: 30,
  reconnectSecondsMin: 1,
  reconnectSecondsMax: 30,
  freeRetriesMax: 5,
  reserveUsd: '1',
  budgetWarnShare: 0.8,
  /** A class of priority that a task waits for its turn in before it counts as the next higher one. */
  agingMinutes: 10,
  outputTailLines: 50,
  awaitSeconds: 3_600,
  /** After a provider's rate limit whose end nobody knows, the same work is not handed on again for so long. */
  rateLimitCooldownSeconds: 300,
  /** Work that succeeded so lately is not handed on again by mistake. */
  recentSuccessSeconds: 120,
  joinTokenSeconds: 86_400,
  loginCodeSeconds: 900,
  idempotencyKeyDays: 7,
  eventsKeptDays: 30,
  port: 4664,
  host: '127.0.0.1',
} as const;
