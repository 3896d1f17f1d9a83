import type { CheckpointStatus, LogStream, TaskStatus, TaskResult } from '@baton/contract';
import type {
  ArtifactRow,
  AttemptRow,
  CheckpointRow,
  DependencyRow,
  HardNeeds,
  NewEvent,
  NoteRow,
  OutputRow,
  RunRow,
  TaskRow,
  TaskSpecRow,
  WorkerRow,
} from '@baton/kernel';

/** A run and how many of its tasks are in each status. */
export interface RunRead {
  readonly run: RunRow;
  readonly counts: Readonly<Partial<Record<TaskStatus, number>>>;
}

/** A task, what was asked for, and the result that stands. */
export interface TaskRead {
  readonly task: TaskRow;
  readonly spec: TaskSpecRow;
  readonly workerName: string | null;
  readonly result: TaskResult | null;
}

/** An edge with the keys of its ends. */
export interface EdgeRead {
  readonly edge: DependencyRow;
  readonly upstreamKey: string;
  readonly downstreamKey: string;
}

export interface AttemptRead {
  readonly attempt: AttemptRow;
  readonly workerName: string;
  readonly taskKey: string;
}

/** A checkpoint, and how many tasks wait behind it. */
export interface CheckpointRead {
  readonly checkpoint: CheckpointRow;
  readonly taskKey: string | null;
  readonly holdsUp: number;
}

/** A worker and the attempts that hold its slots. */
export interface WorkerRead {
  readonly worker: WorkerRow;
  readonly attempts: readonly string[];
}

/** A piece of log; `seq` is dense in its attempt. */
export interface LogRead {
  readonly attemptId: string;
  readonly seq: number;
  readonly stream: LogStream;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly atMs: number;
}

/** A run, its tasks in plan order, its edges, and the place in the feed up to which they tell. */
export interface GraphRead {
  readonly run: RunRead;
  readonly tasks: readonly TaskRead[];
  readonly edges: readonly EdgeRead[];
  readonly cursor: string;
}

/** Ready tasks with the same hard needs. */
export interface WaitingNeeds {
  readonly needs: HardNeeds;
  readonly tasks: number;
}

/** A place in a list ordered by an instant and an id. */
export interface PageKey {
  readonly atMs: number;
  readonly id: string;
}

/** An event as it is stored, with its place in the feed. */
export interface EventRead {
  readonly pos: number;
  readonly event: NewEvent;
}

export interface RunFilter {
  readonly status?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly text?: string | undefined;
}

export interface TaskFilter {
  readonly status?: readonly string[] | undefined;
  readonly run?: string | undefined;
  readonly role?: readonly string[] | undefined;
  readonly engine?: string | undefined;
  readonly worker?: string | undefined;
  readonly origin?: string | undefined;
  readonly parent?: string | undefined;
  readonly priority?: readonly string[] | undefined;
  readonly label?: string | undefined;
  readonly needsHuman?: boolean | undefined;
  readonly text?: string | undefined;
}

/** What of the feed somebody wants to see. */
export interface EventFilter {
  readonly project: string;
  readonly run?: string | undefined;
  readonly task?: string | undefined;
}

/** Kinds of objects that are found by id or by the beginning of one. */
export type Findable = 'runs' | 'tasks' | 'checkpoints' | 'attempts' | 'artifacts' | 'workers';

/** What is stored, as handlers read it. All lists are bounded; all but attempts by id are of one project. */
export interface Reads {
  /** Ids of a project that are `text`, else those that begin with it; at most 10. */
  findIds(kind: Findable, project: string, text: string): Promise<readonly string[]>;

  findRun(project: string, id: string): Promise<RunRead | undefined>;
  /** Newest first, behind `after`. */
  listRuns(
    project: string,
    filter: RunFilter,
    limit: number,
    after: PageKey | undefined,
  ): Promise<readonly RunRead[]>;
  /** A run with everything of it, all of one moment. */
  findGraph(project: string, id: string): Promise<GraphRead | undefined>;

  findTask(project: string, id: string): Promise<TaskRead | undefined>;
  listTasks(
    project: string,
    filter: TaskFilter,
    limit: number,
    after: PageKey | undefined,
  ): Promise<readonly TaskRead[]>;
  /** Edges into and out of a task. */
  edgesOfTask(task: string): Promise<readonly EdgeRead[]>;
  /** Fulfilled contracts of all generations. */
  outputsOfTasks(tasks: readonly string[]): Promise<readonly OutputRow[]>;
  attemptsOfTask(
    task: string,
    limit: number,
    after: PageKey | undefined,
  ): Promise<readonly AttemptRead[]>;
  notesOfTask(task: string, limit: number, after: PageKey | undefined): Promise<readonly NoteRow[]>;
  findNote(task: string, id: string): Promise<NoteRow | undefined>;
  findEdge(run: string, id: string): Promise<EdgeRead | undefined>;

  findAttempt(id: string): Promise<AttemptRead | undefined>;
  /** Claimed and not started, oldest first. */
  claimedOfWorker(worker: string, limit: number): Promise<readonly string[]>;
  /** Whether the worker holds an attempt of that run that has not ended. */
  worksOnRun(worker: string, run: string): Promise<boolean>;

  findCheckpoint(project: string, id: string): Promise<CheckpointRead | undefined>;
  /** Those that hold up most first, then oldest first. */
  listCheckpoints(
    project: string,
    filter: { readonly status: CheckpointStatus; readonly run?: string | undefined },
    limit: number,
    offset: number,
  ): Promise<readonly CheckpointRead[]>;
  checkpointsOfRun(run: string): Promise<readonly CheckpointRead[]>;
  openCheckpointsOfTask(task: string): Promise<readonly CheckpointRow[]>;
  /** Closed ones of attempts, so that a worker that was away learns the decisions. */
  closedCheckpointsOfAttempts(attempts: readonly string[]): Promise<readonly CheckpointRead[]>;

  findArtifact(project: string, id: string): Promise<ArtifactRow | undefined>;
  /** Newest first. */
  artifactsOfTask(task: string): Promise<readonly ArtifactRow[]>;
  artifactsOfRun(run: string): Promise<readonly ArtifactRow[]>;

  findWorker(project: string, id: string): Promise<WorkerRead | undefined>;
  findWorkerByName(project: string, name: string): Promise<WorkerRead | undefined>;
  /** By name, behind `after`. */
  listWorkers(
    project: string,
    limit: number,
    after: string | undefined,
  ): Promise<readonly WorkerRead[]>;
  /** Ready tasks that nobody holds back, by their needs. */
  waitingNeeds(project: string): Promise<readonly WaitingNeeds[]>;
  /** Runs whose delivery this worker has not reported on. */
  deliveriesOfWorker(worker: string): Promise<readonly RunRow[]>;

  /** Pieces of an attempt's log behind `seq`, in the order in which they came. */
  logsOfAttempt(
    attempt: string,
    stream: string | undefined,
    afterSeq: number,
    limit: number,
  ): Promise<readonly LogRead[]>;
  /** Pieces of all logs of a run, by time. */
  logsOfRun(
    run: string,
    stream: string | undefined,
    after: RunLogKey | undefined,
    limit: number,
  ): Promise<readonly LogRead[]>;

  feedHead(): Promise<{ readonly pos: number; readonly incarnation: number }>;
  /** Events behind `pos`, oldest first. */
  eventsAfter(filter: EventFilter, pos: number, limit: number): Promise<readonly EventRead[]>;
}

/** Place in the logs of a run. */
export interface RunLogKey {
  readonly atMs: number;
  readonly attemptId: string;
  readonly seq: number;
}
