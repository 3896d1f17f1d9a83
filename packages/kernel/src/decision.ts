import type { Command, Refusal } from '@baton/contract';
import type { NewEvent } from './rows.ts';
import type { Change, Context, Need, World } from './world.ts';

/** What a command leads to. `changes` hold the last state of each row touched, in no order. */
export type Decision =
  | {
      readonly kind: 'accepted';
      readonly changes: readonly Change[];
      readonly events: readonly NewEvent[];
      readonly reply: Reply;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'needs'; readonly needs: readonly Need[] };

/** Ids of what the command concerned; the caller reads the rest from the world after the batch. */
export interface Reply {
  readonly run?: string;
  readonly task?: string;
  readonly attempt?: string;
  readonly checkpoint?: string;
  readonly artifact?: string;
  readonly output?: string;
  readonly note?: string;
  readonly worker?: string;
  readonly dependency?: string;
  /** Attempts handed out by a dispatch, or delivered again to a worker that said hello. */
  readonly claimed?: readonly { readonly worker: string; readonly attempt: string }[];
  /** Answer of a heartbeat: what to stop, and what is no longer held. */
  readonly cancel?: readonly string[];
  readonly stale?: readonly string[];
  /** Content of an artifact is still to be uploaded. */
  readonly upload?: boolean;
  /** The same was already so; nothing changed. */
  readonly already?: boolean;
}

/** The one entry of the kernel: a pure function. Built up in `commands/`. */
export type Decide = (world: World, command: Command, context: Context) => Decision;
