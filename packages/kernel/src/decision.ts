import type { AwaitResult, Command, Refusal } from '@baton/contract';
import type { StopOrder } from './attempt/stop-order.ts';
import type { NewEvent } from './rows.ts';
import type { Turns } from './matching/queue-order.ts';
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
  /** Of a dispatch: how far turns have come by it; that tasks stood in the way of others; when what is shut opens. */
  readonly turns?: Turns;
  readonly again?: boolean;
  readonly againAtMs?: number;
  /** Answer of a heartbeat: what to stop, and what is no longer held. */
  readonly cancel?: readonly StopOrder[];
  readonly stale?: readonly string[];
  /** The agent is to end its turn: its process is no longer wanted, and it is gone on with later. */
  readonly yields?: boolean;
  /** Whether a live agent is told. */
  readonly delivered?: boolean;
  /** Content of an artifact is still to be uploaded. */
  readonly upload?: boolean;
  /** The same was already so; nothing changed. */
  readonly already?: boolean;
  /** It was declined, and that is on record as an event; the caller is answered with this refusal. */
  readonly declined?: Refusal;
  /** The await that an agent ends its turn for; or, when it was met at once, what its tasks came to. */
  readonly await?: string;
  readonly results?: readonly AwaitResult[];
}

/** The one entry of the kernel: a pure function. Built up in `commands/`. */
export type Decide = (world: World, command: Command, context: Context) => Decision;
