import { holdsSlot } from '@baton/contract';
import type { TableName, Tables } from './rows.ts';
import type { ListName, Lists } from './world.ts';

interface ListDefinition<T extends TableName> {
  readonly table: T;
  /** Table of the thing the list belongs to: a list of a new thing is empty. Null: not a row. */
  readonly ownerTable: TableName | null;
  /** Ids of the lists that a row is on; none when it is on none. */
  readonly owners: (row: Tables[T]) => readonly string[];
}

const none: readonly string[] = [];
const maybe = (id: string | null): readonly string[] => (id === null ? none : [id]);

/** Which rows are on which list: the one definition that loading, the draft and the batch go by. */
export const LISTS: { readonly [L in ListName]: ListDefinition<Lists[L]> } = {
  tasksOfRun: { table: 'tasks', ownerTable: 'runs', owners: (row) => [row.runId] },
  specsOfRun: { table: 'taskSpecs', ownerTable: 'runs', owners: (row) => [row.runId] },
  dependenciesOfRun: { table: 'dependencies', ownerTable: 'runs', owners: (row) => [row.runId] },
  edgesOut: { table: 'dependencies', ownerTable: 'tasks', owners: (row) => [row.upstreamId] },
  edgesIn: { table: 'dependencies', ownerTable: 'tasks', owners: (row) => [row.downstreamId] },
  outputsOfTask: { table: 'outputs', ownerTable: 'tasks', owners: (row) => [row.taskId] },
  artifactsOfTask: { table: 'artifacts', ownerTable: 'tasks', owners: (row) => [row.taskId] },
  notesOfTask: { table: 'notes', ownerTable: 'tasks', owners: (row) => [row.taskId] },
  timersOfTask: { table: 'timers', ownerTable: 'tasks', owners: (row) => maybe(row.taskId) },
  timersOfRun: { table: 'timers', ownerTable: 'runs', owners: (row) => [row.runId] },
  openCheckpointsOfTask: {
    table: 'checkpoints',
    ownerTable: 'tasks',
    owners: (row) => (row.status === 'open' ? maybe(row.taskId) : none),
  },
  openCheckpointsOfRun: {
    table: 'checkpoints',
    ownerTable: 'runs',
    owners: (row) => (row.status === 'open' ? [row.runId] : none),
  },
  checkpointsOfAttempt: {
    table: 'checkpoints',
    ownerTable: 'attempts',
    owners: (row) => maybe(row.attemptId),
  },
  openAttemptsOfWorker: {
    table: 'attempts',
    ownerTable: 'workers',
    owners: (row) => (holdsSlot(row.status) ? [row.workerId] : none),
  },
  slotsOfWorker: {
    table: 'attempts',
    ownerTable: 'workers',
    owners: (row) => (holdsSlot(row.status) ? [row.workerId] : none),
  },
  openAttemptsOfRun: {
    table: 'attempts',
    ownerTable: 'runs',
    owners: (row) => (holdsSlot(row.status) ? [row.runId] : none),
  },
  attemptsOfTask: { table: 'attempts', ownerTable: 'tasks', owners: (row) => [row.taskId] },
  workersOfProject: { table: 'workers', ownerTable: null, owners: (row) => [row.projectId] },
  deliveriesOfWorker: {
    table: 'runs',
    ownerTable: 'workers',
    owners: (row) => (row.deliveryOrder === null ? none : maybe(row.deliveryWorkerId)),
  },
  readyOfProject: {
    table: 'ready',
    ownerTable: null,
    owners: (row) => (row.held === null ? [row.projectId] : none),
  },
  planPartsOfRun: { table: 'planParts', ownerTable: 'runs', owners: (row) => [row.runId] },
  childrenOfTask: {
    table: 'taskSpecs',
    ownerTable: 'tasks',
    owners: (row) => maybe(row.parentTaskId),
  },
  awaitsOfTask: { table: 'awaits', ownerTable: 'tasks', owners: (row) => [row.taskId] },
  awaitsOfRun: {
    table: 'awaits',
    ownerTable: 'runs',
    owners: (row) => (row.settled ? none : [row.runId]),
  },
  workerByName: {
    table: 'workers',
    ownerTable: null,
    owners: (row) => [`${row.projectId}/${row.name}`],
  },
  limitsOfProject: { table: 'limits', ownerTable: null, owners: (row) => [row.projectId] },
  freeSlotsOfProject: {
    table: 'limitSlots',
    ownerTable: null,
    owners: (row) => (row.attemptId === '' && !row.surplus ? [row.projectId] : none),
  },
  slotsOfLimit: { table: 'limitSlots', ownerTable: 'limits', owners: (row) => [row.limitId] },
  surplusOfLimit: {
    table: 'limitSlots',
    ownerTable: 'limits',
    owners: (row) => (row.surplus ? [row.limitId] : none),
  },
  parkingsOfProject: { table: 'parkings', ownerTable: null, owners: (row) => [row.projectId] },
  unfundedOfRun: {
    table: 'ready',
    ownerTable: 'runs',
    owners: (row) => (row.held === 'budget' ? [row.runId] : none),
  },
  unfundedRunsOfProject: {
    table: 'runs',
    ownerTable: null,
    owners: (row) => (row.status === 'paused' && row.reason === 'budget' ? [row.projectId] : none),
  },
  budgetsOfRun: { table: 'budgets', ownerTable: 'runs', owners: (row) => maybe(row.runId) },
};
