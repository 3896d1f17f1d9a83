import type { AssignmentRows, NeedsRow, TimerRow } from '@baton/kernel';
import type {
  EventRead,
  ExpiredLease,
  FeedHead,
  HintLine,
  HintListener,
  LogOutcome,
  LogPiece,
  MetAwait,
  PresenceBounds,
} from '@baton/store';
import type { BatchStore } from './batch-store.ts';

/** A row of a project, by its id. */
export interface OfProject {
  readonly id: string;
  readonly projectId: string;
}

/** What the services look up, without locks; what they find may be over when they act on it. */
export interface ServiceStore {
  /** Attempts that were silent for longer than their lease, the longest first. */
  listExpiredLeases(limit: number): Promise<readonly ExpiredLease[]>;
  /** Timers whose instant has come by the store's clock, the earliest first. */
  /** With when the attempt that an idle timer watches last wrote, where that is known. */
  listDueTimers(
    limit: number,
  ): Promise<readonly (TimerRow & { readonly loggedAtMs?: number | null })[]>;
  /** Workers whose last beat is older than their presence says. */
  listWorkersToSweep(bounds: PresenceBounds): Promise<readonly OfProject[]>;
  /** Open awaits of tasks in several runs that are met. */
  listAwaitsToCheck(limit: number): Promise<readonly MetAwait[]>;
  /** Attempts that are claimed, running or parked. */
  listOpenAttemptIds(): Promise<readonly OfProject[]>;
  /** Distinct needs of the work that is ready, held or not. */
  listNeeds(): Promise<readonly NeedsRow[]>;
  listKnownEngines(): Promise<readonly { readonly projectId: string; readonly engine: string }[]>;
  /** Keys that have a limit. */
  listLimitedKeys(): Promise<readonly { readonly projectId: string; readonly key: string }[]>;
  /** How far turns have come in each project that has work. */
  listPasses(): Promise<readonly { readonly projectId: string; readonly pass: number }[]>;
  /** Contracts that the task of an attempt declares; `schema` is absent where anything goes. */
  findDeclaredOutputs(
    attempt: string,
  ): Promise<readonly { readonly key: string; readonly schema?: unknown }[]>;
  feedHead(): Promise<FeedHead>;
  /** Events of all projects behind a position and before another one, oldest first. */
  readFeed?(pos: number, before: number | undefined, limit: number): Promise<readonly EventRead[]>;
  /** A line to the other replicas; absent where there can be none. */
  openHints?(listener: HintListener): Promise<HintLine>;
  /** Raises the incarnation from one to another; answers the one that holds now. */
  raiseIncarnation?(from: number, to: number): Promise<number>;
  /** Epochs of the attempts that there are. */
  findEpochs?(attempts: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Removes what is over. Answers how many rows. */
  purgeExpired(): Promise<number>;
  /** How much an embedded database has ever written; absent or undefined where a server looks after itself. */
  findWrittenBytes?(): Promise<number | undefined>;
  /** Does for the embedded database what a server does by itself. */
  maintain(): Promise<void>;
}

/** Everything that a coordinator asks of its store. */
export interface CoordinatorStore extends BatchStore, ServiceStore {
  /** What the assignment of an attempt is made of, of one moment. */
  loadAssignmentRows(attempt: string): Promise<AssignmentRows | undefined>;
  appendLogChunk(piece: LogPiece): Promise<LogOutcome>;
}
