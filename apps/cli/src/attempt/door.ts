import {
  AppError,
  type AttemptAwaitReply,
  type AwaitPolicy,
  type CheckpointOpenInput,
  type Resolution,
  type TaskResult,
  type Task,
  type TaskCreateInput,
} from '@baton/contract';
import type { Context } from '../context.ts';
import { fileExchange } from './file-exchange.ts';
import { openHttpDoor } from './http-door.ts';
import { openDoor, socketExchange } from './supervisor-door.ts';

/** A file that an agent hands in. */
export interface ArtifactFile {
  readonly path: string;
  readonly name: string;
  readonly kind: 'patch' | 'bundle' | 'log' | 'report' | 'screenshot' | 'file';
  readonly mediaType: string;
}

/** `pending`: kept on this machine's disk and sent as soon as the control plane can be reached. */
export type Handed = { readonly state: 'accepted' | 'pending'; readonly body: unknown };

/** A decision; or `yield`: the agent is to end its turn now, and is gone on with once it is decided. */
export type Word =
  | { readonly yield: false; readonly resolution: Resolution }
  | { readonly yield: true; readonly checkpoint: string };

/** A plan of the agent's own work. `resume`: `live` waits in the call. */
export interface PlanInput {
  readonly plan: string;
  readonly resume: 'live' | 'held' | 'new_attempt';
  readonly timeout_seconds?: number;
}

/** Which children an agent waits for; no ids: all that are at work. `timeout` in seconds. */
export interface AwaitInput {
  readonly ids: string[];
  readonly policy: AwaitPolicy;
  readonly quorum?: number;
  readonly timeout?: number;
}

/** What an agent may say about its own attempt, whichever way it travels. */
export interface AttemptDoor {
  /** What the attempt was given; `inputs` by name. */
  task(): Promise<Readonly<Record<string, unknown>>>;
  progress(progress: { readonly percent?: number; readonly text: string }): Promise<Handed>;
  note(text: string): Promise<Handed>;
  /** @throws AppError contract_violation with the validator's words, unknown_contract. */
  setOutput(key: string, data: unknown): Promise<Handed>;
  addArtifact(file: ArtifactFile): Promise<Handed>;
  /** Waits for the decision. Undefined when `waitMsMax` passed without one. */
  ask(question: CheckpointOpenInput, waitMsMax: number): Promise<Word | undefined>;
  /** Hands in a plan and waits for the word on it, in the same way. */
  plan(plan: PlanInput, waitMsMax: number): Promise<Word | undefined>;
  /** Hands work on: a child of the own task. @throws AppError limit_exceeded, breaker_tripped ... */
  spawn(task: TaskCreateInput): Promise<Handed>;
  /** The tasks that the own task handed on, newest first. */
  children(): Promise<readonly Task[]>;
  /** Waits for children by ending the turn. Undefined: the control plane cannot be reached now. */
  awaitOthers(wanted: AwaitInput): Promise<AttemptAwaitReply | undefined>;
  complete(result: TaskResult): Promise<Handed>;
  fail(reason: string, failureClass: string | undefined): Promise<Handed>;
}

/**
 * The door of the attempt that this program runs in: its supervisor, by files where its sandbox cuts
 * sockets, else by its socket; else the control plane with the attempt's own token. Undefined outside of one.
 */
export function findDoor(context: Context): AttemptDoor | undefined {
  const { socket, requestsDir, answersDir, attemptId, epoch, attemptToken } = context.config;
  const { signal } = context;
  if (requestsDir !== undefined && answersDir !== undefined) {
    return openDoor(fileExchange(requestsDir, answersDir, signal), signal);
  }
  if (socket !== undefined) return openDoor(socketExchange(socket, signal), signal);
  if (attemptId === undefined || epoch === undefined || attemptToken === undefined) {
    return undefined;
  }
  return openHttpDoor(context.client(), attemptId, epoch, context.signal);
}

/** @throws AppError bad_request that says where such a command belongs. */
export function getDoor(context: Context, what: string): AttemptDoor {
  const door = findDoor(context);
  if (door !== undefined) return door;
  throw new AppError(
    'bad_request',
    `${what} is for an agent inside its attempt (BATON_SOCKET or BATON_REQUESTS, or BATON_URL with BATON_TOKEN, ` +
      'BATON_ATTEMPT_ID and BATON_EPOCH). Name a task where the command takes one.',
  );
}
