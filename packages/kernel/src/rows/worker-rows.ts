// Workers, and what bounds the work given to them.
import type { Capabilities } from '@baton/contract';
import type { UsdMicros } from './run-rows.ts';

export interface WorkerRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly machineId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly capabilities: Capabilities;
  readonly slots: number;
  readonly draining: boolean;
  /** It said that it is about to end; its next start takes that back. */
  readonly leaving: boolean;
  readonly ephemeral: boolean;
  readonly version: string | null;
  readonly keyHash: string;
  /** Of the daemon start that is connected now; null while no link is open. */
  readonly incarnation: string | null;
  /** The last status that was told as an event: online, silent or offline. */
  readonly presence: 'online' | 'silent' | 'offline';
  readonly lastSeenAtMs: number | null;
  readonly lastClaimAtMs: number | null;
  /** Repositories it worked in lately, normalised; a warm one scores. */
  readonly warmRepos: readonly string[];
  readonly registeredAtMs: number;
}

export interface JoinTokenRow {
  readonly id: string;
  readonly projectId: string;
  readonly tokenHash: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxUses: number;
  readonly uses: number;
  readonly ephemeral: boolean;
  readonly expiresAtMs: number;
  readonly createdBy: string;
}

/** What a key allows in a project. Id is `<projectId>/<key>`. */
export interface LimitRow {
  readonly id: string;
  readonly projectId: string;
  readonly key: string;
  /** Tasks that run at a time: there are as many places. Null: any number. */
  readonly maxRunning: number | null;
  readonly ratePerMinute: number | null;
  readonly burst: number;
  /** Epoch milliseconds at which the next start is due by the rate alone (GCRA); 0: none was yet. */
  readonly tat: number;
  readonly updatedAtMs: number;
}

/** A place under a limit: held by one attempt or free. Id is `<limitId>#<no>`. */
export interface LimitSlotRow {
  readonly id: string;
  readonly projectId: string;
  readonly limitId: string;
  readonly no: number;
  /** Who holds it; empty: it is free. */
  readonly attemptId: string;
  readonly taskId: string;
  /** Beyond what the limit allows now: it goes when it is given back. */
  readonly surplus: boolean;
}

/** A provider refuses an engine for an account until `untilMs`. Id is `<projectId>/<engine>/<who>`. */
export interface ParkingRow {
  readonly id: string;
  readonly projectId: string;
  readonly engine: string;
  /** As the worker tells it; null: this worker's own. */
  readonly account: string | null;
  readonly workerId: string;
  readonly untilMs: number;
  readonly reason: string;
}

/** What a project, run or task may cost, and where it stands. Id is that of the project, run or task. */
export interface BudgetRow {
  readonly id: string;
  readonly projectId: string;
  readonly scope: 'project' | 'run' | 'task';
  /** Null for a project's. */
  readonly runId: string | null;
  readonly limitMicros: UsdMicros;
  readonly spentMicros: UsdMicros;
  /** Set aside for open attempts and not spent by them. */
  readonly reservedMicros: UsdMicros;
  /** Set aside for each attempt before it starts. */
  readonly reserveMicros: UsdMicros;
  readonly warned: boolean;
}
