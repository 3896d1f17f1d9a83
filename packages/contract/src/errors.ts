/** Whether the same call may be sent again unchanged, and the HTTP status it is answered with. */
export interface ErrorCodeRow {
  readonly status: number;
  readonly retry: boolean;
}

/** Every failure a caller may branch on. Wire format: codes are added, never renamed. */
export const ERROR_CODES = {
  // shape
  bad_request: { status: 400, retry: false },
  unknown_field: { status: 400, retry: false },
  bad_cursor: { status: 400, retry: false },
  body_too_large: { status: 413, retry: false },
  unsupported_media_type: { status: 415, retry: false },
  // who
  unauthenticated: { status: 401, retry: false },
  forbidden: { status: 403, retry: false },
  foreign_origin: { status: 403, retry: false },
  foreign_host: { status: 421, retry: false },
  login_code_invalid: { status: 401, retry: false },
  join_token_invalid: { status: 401, retry: false },
  // where
  not_found: { status: 404, retry: false },
  method_not_allowed: { status: 405, retry: false },
  ambiguous: { status: 409, retry: false },
  // state
  already_exists: { status: 409, retry: false },
  worker_exists: { status: 409, retry: false },
  wrong_status: { status: 409, retry: false },
  stale_epoch: { status: 409, retry: false },
  completion_conflict: { status: 409, retry: false },
  checkpoint_closed: { status: 409, retry: false },
  checkpoint_open: { status: 409, retry: false },
  facts_changed: { status: 409, retry: false },
  idempotency_conflict: { status: 409, retry: false },
  run_ended: { status: 409, retry: false },
  breaker_tripped: { status: 409, retry: false },
  blocker_auth: { status: 409, retry: false },
  recent_success: { status: 409, retry: false },
  rate_limit_cooldown: { status: 429, retry: false },
  plan_conflict: { status: 409, retry: false },
  cannot_move: { status: 409, retry: false },
  // meaning
  cycle: { status: 422, retry: false },
  duplicate_key: { status: 422, retry: false },
  unknown_task: { status: 422, retry: false },
  unknown_contract: { status: 422, retry: false },
  unknown_engine: { status: 422, retry: false },
  unknown_worker: { status: 422, retry: false },
  invalid_schema: { status: 422, retry: false },
  contract_violation: { status: 422, retry: false },
  invalid_option: { status: 422, retry: false },
  limit_exceeded: { status: 422, retry: false },
  not_supported: { status: 422, retry: false },
  // load and outages
  rate_limited: { status: 429, retry: true },
  draining: { status: 503, retry: true },
  store_unavailable: { status: 503, retry: true },
  storage_full: { status: 507, retry: true },
  no_coordinator: { status: 503, retry: true },
  timeout: { status: 504, retry: true },
  internal: { status: 500, retry: false },
  // programs on a machine: never sent over HTTP, shown by the command line
  data_dir_in_use: { status: 409, retry: false },
  data_dir_version: { status: 409, retry: false },
  schema_newer: { status: 409, retry: false },
  schema_older: { status: 409, retry: false },
  not_empty: { status: 409, retry: false },
  backup_damaged: { status: 422, retry: false },
  unsafe_durability: { status: 422, retry: false },
  port_in_use: { status: 409, retry: false },
  insecure_listen: { status: 422, retry: false },
  bad_config: { status: 422, retry: false },
  control_plane_unreachable: { status: 503, retry: true },
  repo_not_found: { status: 422, retry: false },
  ref_not_found: { status: 422, retry: false },
  repo_empty: { status: 422, retry: false },
  workspace_failed: { status: 500, retry: true },
  workspace_busy: { status: 409, retry: true },
  delivery_refused: { status: 409, retry: false },
  git_failed: { status: 500, retry: false },
} as const satisfies Record<string, ErrorCodeRow>;

/** A stable name of a failure; see `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts about a failure that are safe to show a user, by name. */
export type PublicDetail = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * An expected failure. `message` is one sentence for the user that names the way out.
 * Anything else thrown is a bug: logged whole, answered as 500 without detail.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly publicDetail: PublicDetail;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly detail?: PublicDetail } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.publicDetail = options.detail ?? {};
  }
}

/** A refusal as a value, for pure code. `toAppError` turns it into a throwable one at the edge. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: PublicDetail;
}

/** Makes a refusal; `message` is one sentence for the user that names the way out. */
export function refusal(code: ErrorCode, message: string, detail?: PublicDetail): Refusal {
  return detail === undefined ? { code, message } : { code, message, detail };
}

/** The throwable form of a refusal. */
export function toAppError(refused: Refusal): AppError {
  return new AppError(refused.code, refused.message, { detail: refused.detail ?? {} });
}
