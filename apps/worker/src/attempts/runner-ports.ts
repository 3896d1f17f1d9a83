import type { Assignment, Checkpoint, ServerFrame } from '@baton/contract';
import type { Workspaces } from '../workspaces/workspaces.ts';
import type { TurnPorts } from './turn.ts';
import type { RequestPorts } from './workspace-request.ts';

/** What the attempts of a worker share. */
export interface RunnerPorts extends TurnPorts, RequestPorts {
  readonly workspaces: Workspaces;
}

/** Something that was said to an agent. */
export type Note = Assignment['notes'][number];

/** One attempt on this machine, from its assignment to the acknowledged report. */
export interface Runner {
  /** With the notes that came since. */
  readonly assignment: Assignment;
  /** Resolves when nothing more will be told of it, or the daemon has let go of it. Never rejects. */
  readonly done: Promise<void>;
  /** Its report is made and waits to be told. */
  readonly ended: boolean;
  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void;
  decided(checkpoint: Checkpoint): void;
  /** Somebody wrote to the agent. */
  noted(note: Note): void;
  /** A new connection to the control plane. */
  reconnected(): void;
  /** What the task asks for was changed: the agent is told. */
  updated(fresh: Pick<Assignment, 'task'>, fields: readonly string[]): void;
  /** Ends the agent's whole tree; the report says why. */
  cancel(reason: string, graceMs: number): void;
  /** Ends the agent's process within the grace, by itself if it does; its task goes on later. */
  yield(reason: string, graceMs: number): void;
  /** Ends the agent's process, by itself if it does; the attempt stays open and keeps its place. */
  hold(reason: string): void;
  /** Another attempt goes on where this one was: nothing more is told of it. */
  supersede(): void;
  /** Its process has ended, its place is kept: it waits for a person and takes no slot. */
  readonly isHeld: boolean;
  /** The control plane no longer counts on this attempt: end it within 5 s and tell nothing more. */
  abandon(why: string): void;
  /** Ends the agent and hands the task back. */
  release(reason: string, graceMs: number): void;
  /** Lets go of it: the agent goes on, and the next daemon takes it up. */
  detach(): void;
}
