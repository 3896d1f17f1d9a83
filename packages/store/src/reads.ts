import type {
  ActionRow,
  ArtifactRow,
  AwaitRow,
  BudgetRow,
  CheckpointRow,
  NoteRow,
  OutputRow,
  ParkingRow,
  RunRow,
} from '@baton/kernel';
import type { Asker } from './db.ts';
import { artifactsOfRun, artifactsOfTask, findArtifact } from './statements/artifacts.ts';
import {
  attemptsOfRun,
  attemptsOfTask,
  claimedOfWorker,
  findAttempt,
  worksOnRun,
  type AttemptRead,
} from './statements/attempts.ts';
import {
  checkpointsOfRun,
  closedCheckpointsOfAttempts,
  findCheckpoint,
  listCheckpoints,
  type CheckpointFilter,
  type CheckpointRead,
} from './statements/checkpoints.ts';
import { actionsOfTask, awaitsOfTask } from './statements/delegation.ts';
import { edgesOfRun, edgesOfTask, findEdge, type EdgeRead } from './statements/edges.ts';
import {
  feedHead,
  listEvents,
  type EventFilter,
  type EventRead,
  type FeedHead,
} from './statements/events.ts';
import { listMarkedForPurge } from './statements/purge-marks.ts';
import { feedFloor } from './statements/retention.ts';
import type { PageKey } from './statements/filter.ts';
import { findIds, findIdsEver, type Findable } from './statements/find-ids.ts';
import {
  logsOfAttemptPage,
  logsOfRunPage,
  type LogRead,
  type RunLogKey,
} from './statements/logs.ts';
import { findNote, notesOfTask } from './statements/notes.ts';
import { findPurged } from './statements/purge.ts';
import { findRun, listRuns, type RunFilter, type RunRead } from './statements/runs.ts';
import { listBudgets, listLimits, listParkings, type LimitRead } from './statements/scheduling.ts';
import {
  countAttempts,
  countDelegation,
  countProject,
  listRunning,
  type AttemptCount,
  type Count,
  type RunningTask,
} from './statements/stats.ts';
import {
  findTask,
  listTasks,
  outputsOfTasks,
  taskIdByKey,
  tasksById,
  tasksOfRun,
  type TaskFilter,
  type TaskRead,
} from './statements/tasks.ts';
import {
  findWorker,
  findWorkerByName,
  listWorkers,
  waitingNeeds,
  type WaitingNeeds,
  type WorkerRead,
} from './statements/workers.ts';
import { loadList, loadRows } from './world/load.ts';

/**
 * What is stored, as the API reads it. All lists are bounded. Whoever calls a read without a project
 * has found the run, task or attempt in the caller's project before.
 */
export interface Reads {
  /** Ids of a project that are `text`, else those that begin with it; at most 10. */
  findIds(kind: Findable, project: string, text: string): Promise<string[]>;

  /** The same for runs and tasks, deleted ones among them. */
  findIdsEver(kind: 'runs' | 'tasks', project: string, text: string): Promise<string[]>;

  /** Whether a run or task of this id was purged not long ago. */
  wasPurged(project: string, id: string): Promise<boolean>;

  findRun(project: string, id: string): Promise<RunRead | undefined>;
  /** Newest first, behind `after`. */
  listRuns(
    project: string,
    filter: RunFilter,
    limit: number,
    after: PageKey | undefined,
  ): Promise<RunRead[]>;
  tasksOfRun(run: string): Promise<TaskRead[]>;
  edgesOfRun(run: string): Promise<EdgeRead[]>;

  findTask(project: string, id: string): Promise<TaskRead | undefined>;
  /** In no order; those that are not of the project are left out. */
  tasksById(project: string, ids: readonly string[]): Promise<TaskRead[]>;
  /** Newest first, behind `after`. */
  listTasks(
    project: string,
    filter: TaskFilter,
    limit: number,
    after: PageKey | undefined,
  ): Promise<TaskRead[]>;
  /** The id of the task of a run with a key. */
  taskIdByKey(run: string, key: string): Promise<string | undefined>;
  /** Newest first. */
  awaitsOfTask(task: string): Promise<AwaitRow[]>;
  /** Oldest first, behind `after` (instant of the start, id). */
  actionsOfTask(task: string, limit: number, after: PageKey | undefined): Promise<ActionRow[]>;
  /** Runs and tasks by status. */
  countProject(project: string): Promise<Count[]>;
  /** Attempts that were claimed since, by what became of them. */
  countAttempts(project: string, sinceMs: number): Promise<AttemptCount[]>;
  listRunning(project: string): Promise<RunningTask[]>;
  countDelegation(project: string): Promise<Count[]>;
  /** By the instant of the claim. */
  attemptsOfRun(run: string): Promise<AttemptRead[]>;
  /** Edges into and out of a task. */
  edgesOfTask(task: string): Promise<EdgeRead[]>;
  findEdge(run: string, id: string): Promise<EdgeRead | undefined>;
  /** Fulfilled contracts of all generations. */
  outputsOfTasks(tasks: readonly string[]): Promise<OutputRow[]>;
  /** Newest first, behind `after` (instant of the claim, id). */
  attemptsOfTask(task: string, limit: number, after: PageKey | undefined): Promise<AttemptRead[]>;
  /** Oldest first, behind `after`. */
  notesOfTask(task: string, limit: number, after: PageKey | undefined): Promise<NoteRow[]>;
  findNote(task: string, id: string): Promise<NoteRow | undefined>;

  findAttempt(id: string): Promise<AttemptRead | undefined>;
  /** Claimed and not started, oldest first. */
  claimedOfWorker(worker: string, limit: number): Promise<string[]>;
  /** Whether the worker holds an attempt of that run that has not ended. */
  worksOnRun(worker: string, run: string): Promise<boolean>;

  findCheckpoint(project: string, id: string): Promise<CheckpointRead | undefined>;
  /** Open ones: what holds up most first, then the oldest. Closed ones: the newest first. */
  listCheckpoints(
    project: string,
    filter: CheckpointFilter,
    limit: number,
    offset: number,
  ): Promise<CheckpointRead[]>;
  checkpointsOfRun(run: string): Promise<CheckpointRead[]>;
  openCheckpointsOfTask(task: string): Promise<CheckpointRow[]>;
  /** Closed ones of attempts, so that a worker that was away learns the decisions. */
  closedCheckpointsOfAttempts(attempts: readonly string[]): Promise<CheckpointRead[]>;

  findArtifact(project: string, id: string): Promise<ArtifactRow | undefined>;
  /** Newest first. */
  artifactsOfTask(task: string): Promise<ArtifactRow[]>;
  artifactsOfRun(run: string): Promise<ArtifactRow[]>;

  findWorker(project: string, id: string): Promise<WorkerRead | undefined>;
  findWorkerByName(project: string, name: string): Promise<WorkerRead | undefined>;
  /** By name, behind the name `after`; silent ephemeral ones have left. */
  listWorkers(project: string, limit: number, after: string | undefined): Promise<WorkerRead[]>;
  /** Limits of a project by key, or that of one key, with who counts against them. */
  listLimits(project: string, key?: string): Promise<LimitRead[]>;
  /** Engines that a provider refuses now. */
  listParkings(project: string): Promise<ParkingRow[]>;
  /** Budgets of a project: its own, and those of one run or of all, and of their tasks. */
  listBudgets(project: string, run: string | undefined): Promise<BudgetRow[]>;
  findBudget(id: string): Promise<BudgetRow | undefined>;
  /** Ready tasks that nobody holds back, by their needs. */
  waitingNeeds(project: string): Promise<WaitingNeeds[]>;
  /** Runs whose delivery this worker has not reported on. */
  deliveriesOfWorker(worker: string): Promise<RunRow[]>;

  /**
   * Pieces of an attempt's log behind `seq`, in the order in which they came. Fewer than `limit` when
   * they are large: only an empty page means that there are no more.
   */
  logsOfAttempt(
    attempt: string,
    stream: string | undefined,
    afterSeq: number,
    limit: number,
  ): Promise<LogRead[]>;
  /** The same for all attempts of a run, by time. */
  logsOfRun(
    run: string,
    stream: string | undefined,
    after: RunLogKey | undefined,
    limit: number,
  ): Promise<LogRead[]>;

  feedHead(): Promise<FeedHead>;
  /** The oldest position of the feed that is kept. */
  feedFloor(): Promise<number>;
  /** Ids of runs and tasks that are to be purged and are not gone yet, at most 10,000. */
  listMarkedForPurge(): Promise<string[]>;
  /** Events behind `pos`, oldest first. */
  eventsAfter(filter: EventFilter, pos: number, limit: number): Promise<EventRead[]>;
}

/** The reads over a database, or over the one state that a snapshot shows. */
export function createReads(queries: Asker): Reads {
  return {
    findIds: (...args) => findIds(queries, ...args),
    findIdsEver: (...args) => findIdsEver(queries, ...args),
    wasPurged: async (project, id) => (await queries.query(findPurged, project, id)).length > 0,
    findRun: (...args) => findRun(queries, ...args),
    listRuns: (...args) => listRuns(queries, ...args),
    tasksOfRun: (run) => tasksOfRun(queries, run),
    edgesOfRun: (run) => edgesOfRun(queries, run),
    findTask: (...args) => findTask(queries, ...args),
    taskIdByKey: (...args) => taskIdByKey(queries, ...args),
    awaitsOfTask: (task) => awaitsOfTask(queries, task),
    actionsOfTask: (...args) => actionsOfTask(queries, ...args),
    countProject: (project) => countProject(queries, project),
    countAttempts: (...args) => countAttempts(queries, ...args),
    listRunning: (project) => listRunning(queries, project),
    countDelegation: (project) => countDelegation(queries, project),
    attemptsOfRun: (run) => attemptsOfRun(queries, run),
    tasksById: (...args) => tasksById(queries, ...args),
    listTasks: (...args) => listTasks(queries, ...args),
    edgesOfTask: (task) => edgesOfTask(queries, task),
    findEdge: (...args) => findEdge(queries, ...args),
    outputsOfTasks: (tasks) => outputsOfTasks(queries, tasks),
    attemptsOfTask: (...args) => attemptsOfTask(queries, ...args),
    notesOfTask: (...args) => notesOfTask(queries, ...args),
    findNote: (...args) => findNote(queries, ...args),
    findAttempt: (id) => findAttempt(queries, id),
    claimedOfWorker: (...args) => claimedOfWorker(queries, ...args),
    worksOnRun: (...args) => worksOnRun(queries, ...args),
    findCheckpoint: (...args) => findCheckpoint(queries, ...args),
    listCheckpoints: (...args) => listCheckpoints(queries, ...args),
    checkpointsOfRun: (run) => checkpointsOfRun(queries, run),
    openCheckpointsOfTask: async (task) => [
      ...((await loadList(queries, 'openCheckpointsOfTask', [task])).get(task)?.values() ?? []),
    ],
    closedCheckpointsOfAttempts: (attempts) => closedCheckpointsOfAttempts(queries, attempts),
    findArtifact: (...args) => findArtifact(queries, ...args),
    artifactsOfTask: (task) => artifactsOfTask(queries, task),
    artifactsOfRun: (run) => artifactsOfRun(queries, run),
    findWorker: (...args) => findWorker(queries, ...args),
    findWorkerByName: (...args) => findWorkerByName(queries, ...args),
    listWorkers: (...args) => listWorkers(queries, ...args),
    listLimits: (project, key) => listLimits(queries, project, key),
    listParkings: (project) => listParkings(queries, project),
    listBudgets: (project, run) => listBudgets(queries, project, run),
    findBudget: async (id) => (await loadRows(queries, 'budgets', [id])).get(id),
    waitingNeeds: (project) => waitingNeeds(queries, project),
    deliveriesOfWorker: async (worker) => [
      ...((await loadList(queries, 'deliveriesOfWorker', [worker])).get(worker)?.values() ?? []),
    ],
    logsOfAttempt: (attempt, stream, afterSeq, limit) =>
      queries.query(logsOfAttemptPage, attempt, stream ?? null, afterSeq, limit),
    logsOfRun: (run, stream, after, limit) =>
      queries.query(logsOfRunPage, run, stream ?? null, after ?? null, limit),
    feedHead: () => feedHead(queries),
    feedFloor: () => feedFloor(queries),
    listMarkedForPurge: () => listMarkedForPurge(queries),
    eventsAfter: (...args) => listEvents(queries, ...args),
  };
}
