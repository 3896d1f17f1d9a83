import { isTerminalTask, type CommitRef, type Json } from '@baton/contract';
import { isHandedOn } from '../delegation/chain.ts';
import type { Draft } from '../draft.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { normaliseRepo } from '../matching/repo-name.ts';
import { list, lists, rows } from '../need.ts';
import type { AttemptRow, RunRow, TaskRow } from '../rows.ts';

/** What is left to deliver of a run: results to order, in plan order, and whether any was ordered before. */
export interface Undelivered {
  readonly tips: readonly TaskRow[];
  readonly isFirst: boolean;
}

/**
 * The results that hold work which no delivered commit has: where the last task changed nothing, or works
 * in no repository. Work that something went wrong behind is not among them, nor is anything that another
 * of these commits contains. Reads the whole run, if any of its work was done in a repository.
 */
export function findUndelivered(draft: Draft, run: RunRow): Undelivered {
  if (run.taskCount === 1 || Object.keys(run.bases).length === 0)
    return { tips: [], isFirst: true };
  const made = resultsOf(draft, run.id);
  const taken = made.filter((it) => commitOf(draft, it)?.delivered !== undefined);
  const built = new Map(made.map((it) => [it.id, builtOn(draft, it)]));
  const delivered = reachable(taken, built);
  const held = behindFailures(draft, run.id);
  const within = new Set([...built.values()].flat().map((it) => it.id));
  const tips = made
    .filter((it) => !within.has(it.id) && !delivered.has(it.id) && !held.has(it.id))
    .filter((it) =>
      [...reachable([it], built).values()].some(
        (part) => !delivered.has(part.id) && hasOwnWork(draft, part),
      ),
    );
  return { tips, isFirst: taken.length === 0 };
}

/** Completed tasks with a commit that is the run's to deliver, in plan order; all that is read of them is loaded. */
function resultsOf(draft: Draft, runId: string): TaskRow[] {
  draft.load([list('tasksOfRun', runId), list('dependenciesOfRun', runId)]);
  const done = draft
    .list('tasksOfRun', runId)
    .filter((it) => it.status === 'completed' && it.verifies === null && it.deletedAtMs === null);
  draft.load(
    rows(
      'attempts',
      done.map((it) => it.resultAttemptId),
    ),
  );
  const made = done.filter((it) => commitOf(draft, it) !== null);
  const ids = made.map((it) => it.id);
  draft.load([...rows('taskSpecs', ids), ...lists('edgesIn', ids)]);
  return made
    .filter((it) => !isHandedOn(draft.get('taskSpecs', it.id)))
    .toSorted((a, b) => a.position - b.position);
}

/** The tasks whose commits a task's workspace was made of. */
function builtOn(draft: Draft, task: TaskRow): TaskRow[] {
  const attempt = standing(draft, task);
  const commit = attempt?.result?.commit;
  const { workspace } = draft.get('taskSpecs', task.id).spec;
  if (attempt === null || commit === undefined || workspace?.base === 'ref') return [];
  const given = commitsGiven(attempt);
  const upstreams = new Set(
    draft
      .list('edgesIn', task.id)
      .filter(isRequired)
      .map((edge) => edge.upstreamId),
  );
  return [...upstreams].flatMap((id) => {
    const upstream = draft.get('tasks', id);
    if (upstream.status !== 'completed' || upstream.resultAttemptId === null) return [];
    const theirs = draft.get('attempts', upstream.resultAttemptId);
    const their = theirs.result?.commit;
    if (their === undefined || given.get(id) !== their.commit) return [];
    if (!isSameRepository(attempt, commit, theirs, their)) return [];
    // Your own directory is taken as it is: it has their work only if that lies there.
    return workspace?.mode === 'in_place' && commit.base !== their.commit ? [] : [upstream];
  });
}

/** Commits of upstreams that an attempt was given when it was claimed, by task. */
function commitsGiven(attempt: AttemptRow): Map<string, string> {
  const { upstream } = attempt.manifest as { readonly upstream?: Json };
  const found = new Map<string, string>();
  for (const entry of Array.isArray(upstream) ? upstream : []) {
    const { task, commit } = entry as { readonly task?: Json; readonly commit?: Json };
    if (typeof task === 'string' && typeof commit === 'string') found.set(task, commit);
  }
  return found;
}

/** As workers judge it: by address on one machine, by name between machines, which keep it in different places. */
function isSameRepository(
  a: AttemptRow,
  ours: CommitRef,
  b: AttemptRow,
  theirs: CommitRef,
): boolean {
  const [one, other] = [normaliseRepo(ours.repo), normaliseRepo(theirs.repo)];
  if (one === other) return true;
  return a.workerId !== b.workerId && nameOf(one) === nameOf(other);
}

function nameOf(repo: string): string {
  return (repo.split(/[/\\]/).at(-1) ?? repo).replace(/\.git$/, '');
}

/** Tasks and all that they are built on, by id. */
function reachable(
  from: readonly TaskRow[],
  built: ReadonlyMap<string, readonly TaskRow[]>,
): Map<string, TaskRow> {
  const found = new Map<string, TaskRow>();
  const open = [...from];
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    if (found.has(task.id)) continue;
    found.set(task.id, task);
    open.push(...(built.get(task.id) ?? []));
  }
  return found;
}

/** What tasks that did not end well asked the success of, directly or not. */
function behindFailures(draft: Draft, runId: string): ReadonlySet<string> {
  const into = new Map<string, string[]>();
  for (const edge of draft.list('dependenciesOfRun', runId)) {
    if (!isRequired(edge) || edge.rule !== 'success') continue;
    into.set(edge.downstreamId, [...(into.get(edge.downstreamId) ?? []), edge.upstreamId]);
  }
  const failed = draft.list('tasksOfRun', runId).filter(isUnwell);
  const found = new Set<string>();
  const open = failed.map((it) => it.id);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const upstream of into.get(id) ?? []) {
      if (found.has(upstream)) continue;
      found.add(upstream);
      open.push(upstream);
    }
  }
  return found;
}

function isUnwell({ status, reason }: TaskRow): boolean {
  if (!isTerminalTask(status) || status === 'failed' || status === 'cancelled') return true;
  return status === 'skipped' && reason?.startsWith('condition_not_met:') !== true;
}

function hasOwnWork(draft: Draft, task: TaskRow): boolean {
  const commit = commitOf(draft, task);
  return commit !== null && commit.commit !== commit.base;
}

/** The commit of a task's result; its attempt must be loaded. */
export function commitOf(draft: Draft, task: TaskRow): CommitRef | null {
  return standing(draft, task)?.result?.commit ?? null;
}

/** The attempt whose result is the task's; it must be loaded. */
export function standing(draft: Draft, task: TaskRow): AttemptRow | null {
  return task.resultAttemptId === null ? null : draft.get('attempts', task.resultAttemptId);
}
