import type { AppError, Command } from '@baton/contract';
import type { Reply } from '@baton/kernel';

/** A key under which a command takes effect at most once; kept 7 days. */
export interface IdempotencyRequest {
  /** Who asks, and for what route: keys of others do not collide. */
  readonly scope: string;
  readonly key: string;
  /** sha256 of the request; the same key with another body is refused. */
  readonly requestSha256: string;
}

/** A command that waits for its batch. */
export interface Pending {
  readonly command: Command;
  readonly connection?: string | undefined;
  readonly idempotency?: IdempotencyRequest | undefined;
  /** Rough size, for the batch's bound. */
  readonly bytes: number;
  readonly settle: (outcome: Outcome) => void;
}

/** What became of one command. */
export type Outcome =
  | { readonly kind: 'done'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly error: AppError };
