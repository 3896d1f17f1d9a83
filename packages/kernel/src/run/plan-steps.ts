import { isTerminalRun } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { cascade } from '../graph/cascade.ts';
import { list, rows } from '../need.ts';
import type { PlannedEdge, PlannedTask, PlanPartRow, RunRow } from '../rows.ts';
import { insertTask } from '../task/change-task.ts';
import { newTask, putEdge, tellCreated } from '../task/new-task.ts';
import { openTask } from '../task/open-task.ts';
import { moveRun } from './settle.ts';

/** Rows that a submission may write at once; a larger one is written in steps of at most as many. */
export const ROWS_PER_STEP_MAX = 2_000;
const rowsPerTask = 2;

/** Whether a graph is too large to be written at once. */
export function isLarge(tasks: number, edges: number): boolean {
  return tasks * rowsPerTask + edges > ROWS_PER_STEP_MAX;
}

/**
 * Keeps a large graph beside its run, in parts that one step each writes. Until the last is written the
 * run is `planning` and nothing of it can be claimed. Ids are given now, so that a step that a crash
 * undid is done again alike.
 */
export function keepParts(
  draft: Draft,
  run: RunRow,
  tasks: readonly PlannedTask[],
  edges: readonly PlannedEdge[],
): void {
  let part = 0;
  const keep = (some: Pick<PlanPartRow, 'tasks' | 'edges'>): void => {
    const id = `${run.id}/${part}`;
    draft.put('planParts', { id, runId: run.id, projectId: run.projectId, part, ...some });
    part += 1;
  };
  const tasksMax = ROWS_PER_STEP_MAX / rowsPerTask;
  for (let at = 0; at < tasks.length; at += tasksMax) {
    keep({ tasks: tasks.slice(at, at + tasksMax), edges: [] });
  }
  for (let at = 0; at < edges.length; at += ROWS_PER_STEP_MAX) {
    keep({ tasks: [], edges: edges.slice(at, at + ROWS_PER_STEP_MAX) });
  }
  setStep(draft, run, 0);
}

/**
 * Writes one part of a large graph, or, when none is left, starts the run. Each step sets the timer of
 * the next one, so that whoever is up goes on where a crash stopped it.
 */
export function planStep(draft: Draft, runId: string, step: number): void {
  const run = draft.get('runs', runId);
  if (run.status === 'cancelling' || isTerminalRun(run.status)) {
    for (const part of draft.list('planPartsOfRun', runId)) draft.remove('planParts', part.id);
    return;
  }
  const part = draft.find('planParts', `${runId}/${step}`);
  if (part === null) {
    startRun(draft, runId);
    return;
  }
  for (const task of part.tasks) writeTask(draft, run, task);
  for (const edge of part.edges) putEdge(draft, run, edge.upstream, edge.downstream, edge);
  draft.remove('planParts', part.id);
  setStep(draft, run, step + 1);
}

function writeTask(draft: Draft, run: RunRow, planned: PlannedTask): void {
  const { task, cold } = newTask(draft, run, planned);
  insertTask(draft, task, cold);
  tellCreated(draft, cold, planned.key, 'blocked');
}

/** The last step: what depends on nothing starts. */
function startRun(draft: Draft, runId: string): void {
  draft.load([list('tasksOfRun', runId)]);
  if (draft.get('runs', runId).status === 'planning') {
    moveRun(draft, runId, 'start', 'running', { startedAtMs: draft.nowMs });
  }
  draft.event('run.started', { run: runId }, {});
  const free = draft
    .list('tasksOfRun', runId)
    .filter((it) => it.status === 'blocked' && it.pending === 0)
    .toSorted((a, b) => a.position - b.position)
    .map((it) => it.id);
  draft.load(rows('taskSpecs', free));
  cascade(
    draft,
    free.filter((id) => openTask(draft, id)),
  );
}

function setStep(draft: Draft, run: RunRow, step: number): void {
  draft.put('timers', {
    id: draft.newId('timer'),
    projectId: run.projectId,
    runId: run.id,
    taskId: null,
    attemptId: null,
    checkpointId: null,
    kind: 'plan_step',
    guard: step,
    dueAtMs: draft.nowMs,
  });
}
