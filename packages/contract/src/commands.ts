import type { AttemptActions } from './action.ts';
import type {
  AttemptArtifact,
  AttemptCheckpoint,
  AttemptComplete,
  AttemptFail,
  AttemptNote,
  AttemptOutput,
  AttemptPlan,
  AttemptProgress,
  AttemptRelease,
  AttemptStart,
  WorkerHeartbeat,
} from './attempt-writes.ts';
import type { AttemptAwait } from './await.ts';
import type { CheckpointResolve, RunCheckpointOpen, TaskCheckpointOpen } from './checkpoint.ts';
import type { Actor } from './event.ts';
import type { WorkerFrame } from './frames.ts';
import type { DeliveryState, RunCreate, RunReplan, RunUpdate } from './run.ts';
import type { DependencyCreate, ReviewAction, TaskCreate, TaskUpdate } from './task.ts';
import type { BudgetSet, LimitSet } from './scheduling.ts';
import type { WorkerRegister, WorkerTokenCreate } from './worker.ts';

/**
 * Requests to change something. Each may be refused and then touches nothing. Ids are internal ones:
 * whoever makes a command has resolved names, prefixes and client-chosen ids in the caller's project.
 */
interface Base {
  readonly project: string;
  readonly actor: Actor;
}

/** What people and programs with an API key ask for. */
export type PeopleCommand =
  | (Base & { readonly type: 'run.create'; readonly body: RunCreate })
  | (Base & { readonly type: 'run.replan'; readonly run: string; readonly body: RunReplan })
  | (Base & { readonly type: 'run.cancel'; readonly run: string; readonly reason: string | null })
  | (Base & {
      readonly type: 'task.create';
      readonly body: TaskCreate;
      /** The attempt whose agent hands this on; fenced by its epoch. */
      readonly spawner?: {
        readonly attempt: string;
        readonly worker: string | null;
        readonly epoch: number;
      };
    })
  | (Base & { readonly type: 'await.cancel'; readonly task: string })
  | (Base & {
      readonly type: 'task.decide';
      readonly task: string;
      readonly verb: 'approve' | 'reject' | 'answer';
      readonly body: CheckpointResolve | { readonly reason?: string | undefined };
      readonly via: string;
    })
  | (Base & { readonly type: 'task.assign'; readonly task: string; readonly worker: string | null })
  | (Base & { readonly type: 'task.cancel'; readonly task: string; readonly reason: string | null })
  | (Base & {
      readonly type: 'task.retry';
      readonly task: string;
      readonly reason: string | null;
      readonly downstream: 'keep' | 'reset';
    })
  | (Base & { readonly type: 'run.pause'; readonly run: string; readonly reason: string | null })
  | (Base & { readonly type: 'run.resume'; readonly run: string })
  | (Base & { readonly type: 'run.rerun'; readonly run: string; readonly reason: string | null })
  | (Base & { readonly type: 'run.delete'; readonly run: string; readonly reason: string | null })
  | (Base & { readonly type: 'run.purge'; readonly run: string })
  | (Base & { readonly type: 'task.pause'; readonly task: string; readonly reason: string | null })
  | (Base & { readonly type: 'task.resume'; readonly task: string })
  | (Base & {
      readonly type: 'task.relaunch';
      readonly task: string;
      readonly reason: string | null;
      readonly downstream: 'keep' | 'reset';
    })
  | (Base & { readonly type: 'task.rerun'; readonly task: string; readonly reason: string | null })
  | (Base & {
      readonly type: 'task.review';
      readonly task: string;
      readonly action: ReviewAction;
      readonly note: string | null;
    })
  | (Base & { readonly type: 'task.delete'; readonly task: string; readonly reason: string | null })
  | (Base & { readonly type: 'task.purge'; readonly task: string })
  | (Base & {
      readonly type: 'attempt.adopt';
      readonly attempt: string;
      readonly reason: string | null;
    })
  | (Base & {
      readonly type: 'task.progress';
      readonly task: string;
      readonly percent: number | null;
      readonly text: string;
    })
  | (Base & {
      readonly type: 'task.note';
      readonly task: string;
      readonly text: string;
      readonly urgent: boolean;
    })
  | (Base & {
      readonly type: 'dependency.add';
      readonly task: string;
      readonly body: DependencyCreate;
    })
  | (Base & {
      readonly type: 'dependency.remove';
      readonly task: string;
      readonly dependency: string;
    })
  | (Base & {
      readonly type: 'checkpoint.open';
      readonly task: string;
      readonly body: TaskCheckpointOpen;
    })
  | (Base & {
      readonly type: 'run.checkpoint';
      readonly run: string;
      readonly body: RunCheckpointOpen;
    })
  | (Base & { readonly type: 'run.update'; readonly run: string; readonly body: RunUpdate })
  | (Base & { readonly type: 'task.update'; readonly task: string; readonly body: TaskUpdate })
  | (Base & { readonly type: 'task.message'; readonly task: string; readonly text: string })
  | (Base & {
      readonly type: 'checkpoint.resolve';
      readonly checkpoint: string;
      readonly body: CheckpointResolve;
      readonly via: string;
    })
  | (Base & {
      readonly type: 'joinToken.create';
      readonly body: WorkerTokenCreate;
      readonly id: string;
      readonly tokenHash: string;
      readonly expiresAtMs: number;
    })
  | (Base & {
      readonly type: 'worker.drain';
      readonly worker: string;
      readonly draining: boolean;
    })
  | (Base & { readonly type: 'worker.remove'; readonly worker: string })
  | (Base & { readonly type: 'limit.set'; readonly key: string; readonly body: LimitSet })
  | (Base & { readonly type: 'limit.remove'; readonly key: string })
  | (Base & {
      readonly type: 'budget.set';
      readonly scope: 'project' | 'run' | 'task';
      /** Of the project, run or task. */
      readonly id: string;
      readonly body: BudgetSet;
    });

/** What workers say. `worker` is the authenticated one; an attempt of another worker is `not_found`. */
export type WorkerCommand =
  | (Base & {
      readonly type: 'worker.register';
      readonly body: Omit<WorkerRegister, 'token'>;
      /** The join token used, or null when the worker showed its own key. */
      readonly joinToken: string | null;
      /** Worker whose key was shown instead of a join token. */
      readonly ownWorker: string | null;
      readonly keyHash: string;
    })
  | (Base & {
      readonly type: 'worker.hello';
      readonly worker: string;
      readonly hello: Extract<WorkerFrame, { type: 'hello' }>;
    })
  /** It is about to end: it finishes what it has and gets nothing new. */
  | (Base & { readonly type: 'worker.leaving'; readonly worker: string })
  | (Base & { readonly type: 'worker.gone'; readonly worker: string; readonly incarnation: string })
  /** Hands ready work to workers that wait for it; each task to the best-scored one that fits. */
  | (Base & {
      readonly type: 'work.dispatch';
      readonly workers: readonly {
        readonly worker: string;
        readonly max: number;
        /** Asks over HTTP: is there because it asks, and first gets what it never started. */
        readonly polling?: boolean | undefined;
      }[];
    })
  | (Base & {
      readonly type: 'worker.heartbeat';
      readonly worker: string;
      /** Of the link over which it came, as its hello was told with; none over plain HTTP. */
      readonly incarnation?: string | undefined;
      readonly beat: WorkerHeartbeat;
    })
  | (Base & {
      readonly type: 'run.delivered';
      readonly worker: string;
      readonly run: string;
      readonly delivery: DeliveryState;
    });

/** A write by or for an attempt. `worker` is null when an attempt token spoke, else the worker. */
interface AttemptBase extends Base {
  readonly attempt: string;
  readonly worker: string | null;
}

/** What workers and agents say of one attempt; fenced by `body.epoch`. */
export type AttemptCommand =
  | (AttemptBase & { readonly type: 'attempt.start'; readonly body: AttemptStart })
  | (AttemptBase & { readonly type: 'attempt.heartbeat'; readonly body: AttemptProgress })
  | (AttemptBase & { readonly type: 'attempt.progress'; readonly body: AttemptProgress })
  | (AttemptBase & { readonly type: 'attempt.output'; readonly body: AttemptOutput })
  | (AttemptBase & {
      readonly type: 'attempt.artifact';
      readonly body: AttemptArtifact;
      /** Whether the content is stored already; then no upload is needed. */
      readonly stored: boolean;
    })
  | (AttemptBase & { readonly type: 'attempt.checkpoint'; readonly body: AttemptCheckpoint })
  | (AttemptBase & { readonly type: 'attempt.plan'; readonly body: AttemptPlan })
  | (AttemptBase & { readonly type: 'attempt.note'; readonly body: AttemptNote })
  | (AttemptBase & { readonly type: 'attempt.actions'; readonly body: AttemptActions })
  | (AttemptBase & { readonly type: 'await.open'; readonly body: AttemptAwait })
  | (AttemptBase & { readonly type: 'attempt.complete'; readonly body: AttemptComplete })
  | (AttemptBase & { readonly type: 'attempt.fail'; readonly body: AttemptFail })
  | (AttemptBase & { readonly type: 'attempt.release'; readonly body: AttemptRelease });

/** What the control plane asks of itself. */
export type InternalCommand =
  | (Base & {
      readonly type: 'timer.fire';
      readonly timer: string;
      /** When the attempt that it watches last wrote to its log; only of an idle timer. */
      readonly loggedAtMs?: number | null | undefined;
    })
  | (Base & {
      readonly type: 'lease.expire';
      readonly attempt: string;
      /** The lease that was seen to be over; a renewed one is left alone. */
      readonly leaseUntilMs: number;
    })
  | (Base & { readonly type: 'lease.grace'; readonly attempts: readonly string[] })
  | (Base & { readonly type: 'worker.sweep'; readonly worker: string })
  /** A task of another run that this await watches may have ended. */
  | (Base & { readonly type: 'await.check'; readonly run: string; readonly await: string })
  | (Base & { readonly type: 'run.settle'; readonly run: string });

/** Every command there is. */
export type Command = PeopleCommand | WorkerCommand | AttemptCommand | InternalCommand;
export type CommandType = Command['type'];
export type CommandOf<T extends CommandType> = Extract<Command, { readonly type: T }>;
