/**
 * What an engine is: data and pure functions by which a supervisor starts, reads and stops one kind
 * of agent. Nothing here starts a process but `detect`.
 */
import type {
  AgentEvent,
  AgentOutcome,
  FailureClass,
  PermissionMode,
  Refusal,
  Usage,
} from '@baton/contract';

/** A process environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Whether an engine is installed here and may be used. */
export interface Detection {
  readonly found: boolean;
  /** Absolute path of the program; null when it was not found. */
  readonly path: string | null;
  readonly version: string | null;
  /** `unknown` when only a first run would tell. */
  readonly auth: 'ok' | 'missing' | 'unknown';
  /** The installed version is newer than the one this adapter was tried with. */
  readonly newerThanTested: boolean;
  /** Why it cannot be used, with the way out; null when it can. */
  readonly problem: string | null;
}

/** What a supervisor knows when it starts an agent. All ids and paths come from the caller. */
export interface LaunchRequest {
  /** The task's spec as given: the command of engine `shell`. */
  readonly spec: string;
  /** The whole prompt, for engines that take one. */
  readonly prompt: string;
  /** Absolute path; also the working directory of the process. */
  readonly workspacePath: string;
  /** Absolute path of a private directory of this attempt, outside the workspace. */
  readonly attemptDir: string;
  readonly model?: string;
  /** Conversation to go on with. */
  readonly resume?: string;
  /** A fresh UUID, for engines that let the caller name a new conversation. */
  readonly newConversationId: string;
  readonly permissions: PermissionMode;
  readonly maxTurns?: number;
  readonly extraArgs: readonly string[];
  /** The environment the process will get, before the plan's additions. */
  readonly env: Env;
  /** Program to run; default: the engine's own name, found on the PATH. */
  readonly program?: string;
}

/** A file to write before the start. `mode` is a Unix mode such as 0o600. */
export interface PlannedFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** How to start an agent. */
export interface LaunchPlan {
  readonly argv: readonly [string, ...string[]];
  /** Added to the environment of the request. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to the process, then closed; null: no input at all. */
  readonly stdin: string | null;
  readonly files: readonly PlannedFile[];
  /** Known before the start only where the caller may choose it; else a `session` event tells. */
  readonly conversationId: string | null;
  /** What a person should know about this start. */
  readonly warnings: readonly string[];
}

export type Planned =
  | { readonly ok: true; readonly plan: LaunchPlan }
  | { readonly ok: false; readonly refusal: Refusal };

export type OutputStream = 'stdout' | 'stderr';

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when the supervisor ended it on purpose: why. */
  readonly stopped?: FailureClass;
}

/** What the reader of a resumed conversation must know to tell this attempt's usage from the past. */
export interface ReaderStart {
  readonly resumed?: boolean;
  /** The conversation's total so far: `conversation` of the last `usage` event of the attempt before. */
  readonly priorUsage?: Usage;
  /** The model that was asked for, where the stream does not name it. */
  readonly model?: string;
}

/** What is known once the process is gone. */
export interface ReaderEnd {
  readonly events: readonly AgentEvent[];
  readonly outcome: AgentOutcome;
  /** The agent's last words, at most `finalTextCharsMax`: where a conclusion block is looked for. */
  readonly finalText: string;
  /** Of this attempt; null when nothing was counted. */
  readonly usage: Usage | null;
  /** The id to resume with; null when the agent never said it. */
  readonly conversationId: string | null;
}

/**
 * Turns the bytes of an agent into events. A function of the bytes of stdout and of the end only:
 * however the bytes are cut into chunks, and whatever stderr does meanwhile, the events are the same,
 * so that a spool can be read again from its start.
 */
export interface EngineReader {
  push(chunk: Uint8Array, stream: OutputStream): AgentEvent[];
  /** Call once, after the last `push`. The events end with the outcome. */
  end(exit: ProcessExit): ReaderEnd;
}

/** How to end an agent: `signal` to the whole process group, then `lastSignal` after `graceMs`. */
export interface StopSteps {
  readonly signal: 'SIGTERM' | 'SIGINT';
  readonly graceMs: number;
  readonly lastSignal: 'SIGKILL';
}

/** What an engine can do beyond running a prompt to its end. */
export interface EngineTraits {
  /** Takes a prompt (false: runs the spec as a command). */
  readonly prompt: boolean;
  readonly resume: boolean;
  /** `git commit` works inside it; else the supervisor commits. */
  readonly commits: boolean;
  /** The socket and the network are reachable from it; else its calls go through files in the workspace. */
  readonly reachesSocket: boolean;
}

/** One kind of agent. */
export interface Engine {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly title: string;
  /** The newest version its adapter was tried with; null where versions do not matter. */
  readonly testedVersion: string | null;
  readonly traits: EngineTraits;
  readonly stop: StopSteps;
  /** Looks for the program. Never throws; takes at most `detectMsMax` per program it runs. */
  detect(env: Env): Promise<Detection>;
  plan(request: LaunchRequest): Planned;
  openReader(start?: ReaderStart): EngineReader;
}

/** Bounds of detection and reading. */
export const ENGINE_LIMITS = {
  /** A program that answers in a tenth of a second takes many where all is slow. */
  detectMsMax: 30_000,
  lineBytesMax: 8 * 1024 * 1024,
  finalTextCharsMax: 256 * 1024,
  stderrTailLines: 20,
  argBytesMax: 96 * 1024,
} as const;

/** TERM, five seconds, KILL: how every engine here is stopped. */
export const defaultStop: StopSteps = { signal: 'SIGTERM', graceMs: 5_000, lastSignal: 'SIGKILL' };
