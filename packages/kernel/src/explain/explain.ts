import {
  isTerminalTask,
  type Candidate,
  type Command,
  type Explanation,
  type ExplanationHold,
} from '@baton/contract';
import { decide } from '../decide.ts';
import { Draft, NotLoaded } from '../draft.ts';
import { isRequired } from '../graph/edge-rule.ts';
import { isoOf } from '../iso-time.ts';
import { budgetsOver, leftOf } from '../limits/budget.ts';
import { Gates, type Shut } from '../limits/gates.ts';
import { limitId, ownKeysOf } from '../limits/limit-keys.ts';
import { hardNeedsOf } from '../matching/hard-needs.ts';
import { decimalUsd } from '../money.ts';
import { list, lists, row, rows } from '../need.ts';
import type { TaskRow, WorkerRow } from '../rows.ts';
import type { Context, Need, World } from '../world.ts';
import { candidateOf, sayShut, type Wanted } from './candidates.ts';
import { sentenceOf } from './sentence.ts';

/** Candidates that are tried against the queue, the best first. */
const triedMax = 8;
/** Holders of a limit that are named. */
const namedMax = 5;

/** An explanation with internal ids, what it still needs to read, or null: there is no such task. */
export type Explained =
  | { readonly kind: 'explained'; readonly explanation: Explanation | null }
  | { readonly kind: 'needs'; readonly needs: readonly Need[] };

/**
 * Why a task is where it is, what holds it, who may take it, and what would change that. It looks at what
 * a dispatch looks at, and says that a worker would take the task only if a dispatch to it does. The
 * claimable rows and free places of the project must be in the world.
 */
export function explain(
  world: World,
  asked: { readonly project: string; readonly task: string },
  context: Context,
): Explained {
  try {
    const actor = { kind: 'kernel', id: null, name: null } as const;
    const command: Command = { type: 'run.settle', project: asked.project, actor, run: '' };
    const draft = new Draft(world, context, command);
    const task = draft.own('tasks', asked.task);
    if (task === null) return { kind: 'explained', explanation: null };
    return { kind: 'explained', explanation: explainTask(draft, world, task) };
  } catch (thrown) {
    if (thrown instanceof NotLoaded) return { kind: 'needs', needs: thrown.needs };
    throw thrown;
  }
}

function explainTask(draft: Draft, world: World, task: TaskRow): Explanation {
  load(draft, task);
  const wanted = wantedOf(draft, task);
  const workers = isTerminalTask(task.status)
    ? []
    : draft.list('workersOfProject', task.projectId).toSorted(byName);
  const candidates = workers.map((worker) => candidateOf(draft, wanted, worker));
  const held = task.status === 'ready' ? draft.get('ready', task.id).held : null;
  const winner =
    task.status === 'ready' && held === null
      ? winnerOf({ draft, world, task, workers }, candidates)
      : null;
  const waitsFor = waitsForOf(draft, task);
  const holds = holdsOf(draft, task, wanted, waitsFor);
  const told = sentenceOf(draft, { task, candidates, winner, holds, waitsFor });
  return {
    task: task.id,
    status: task.status,
    ...told,
    waits_for: waitsFor,
    holds,
    engine: wanted.needs.engine,
    candidates,
    winner,
    facts: {
      reason: task.reason,
      pending: task.pending,
      epoch: task.epoch,
      attempt_count: task.attemptCount,
      retry_at: task.retryAtMs === null ? null : isoOf(task.retryAtMs),
    },
  };
}

/** Everything that is read, in few rounds. */
function load(draft: Draft, task: TaskRow): void {
  const { projectId } = task;
  draft.load([
    row('runs', task.runId),
    row('taskSpecs', task.id),
    row('needs', task.needsId),
    row('ready', task.id),
    ...rows('attempts', [task.attemptId, task.continueAttemptId]),
    ...rows('checkpoints', [task.checkpointId]),
    list('edgesIn', task.id),
    list('workersOfProject', projectId),
    list('limitsOfProject', projectId),
    list('freeSlotsOfProject', projectId),
    list('parkingsOfProject', projectId),
    list('readyOfProject', projectId),
  ]);
  const upstreams = draft.list('edgesIn', task.id).map((edge) => edge.upstreamId);
  const workers = draft.list('workersOfProject', projectId).map((it) => it.id);
  draft.load([...rows('tasks', upstreams), ...lists('openAttemptsOfWorker', workers)]);
  draft.load([
    ...rows(
      'attempts',
      upstreams.map((id) => draft.get('tasks', id).resultAttemptId),
    ),
    ...rows('workers', [task.workerId, ...upstreams.map((id) => draft.get('tasks', id).workerId)]),
  ]);
}

function wantedOf(draft: Draft, task: TaskRow): Wanted {
  const { spec } = draft.get('taskSpecs', task.id);
  const gates = new Gates(
    {
      limits: draft.list('limitsOfProject', task.projectId),
      freeSlots: draft.list('freeSlotsOfProject', task.projectId),
      parkings: draft.list('parkingsOfProject', task.projectId),
    },
    draft.nowMs,
  );
  const inputMakers = draft
    .list('edgesIn', task.id)
    .filter((edge) => edge.type === 'input')
    .flatMap((edge) => {
      const made = draft.get('tasks', edge.upstreamId).resultAttemptId;
      return made === null ? [] : [draft.get('attempts', made).workerId];
    });
  const { continueAttemptId } = task;
  return {
    task,
    spec,
    // As it stands in the queue: for a while it may be kept for the worker that has its workspace.
    needs: draft.find('needs', task.needsId)?.needs ?? hardNeedsOf(spec, task.assignedWorker),
    inputMakers,
    continuesOn:
      continueAttemptId === null ? null : draft.get('attempts', continueAttemptId).workerId,
    shut: gates.shutBy(ownKeysOf(spec)),
    gates,
  };
}

interface Trial {
  readonly draft: Draft;
  readonly world: World;
  readonly task: TaskRow;
  readonly workers: readonly WorkerRow[];
}

/** The best worker that a dispatch to it would give the task to; others may be before it in the queue. */
function winnerOf(trial: Trial, candidates: readonly Candidate[]): string | null {
  const lastMs = new Map(trial.workers.map((it) => [it.id, it.lastClaimAtMs ?? 0]));
  const best = candidates
    .filter(({ eligible }) => eligible)
    .toSorted(
      (a, b) =>
        (b.score ?? 0) - (a.score ?? 0) ||
        (lastMs.get(a.worker) ?? 0) - (lastMs.get(b.worker) ?? 0),
    );
  return best.slice(0, triedMax).find((it) => wouldTake(trial, it.worker))?.name ?? null;
}

function wouldTake({ draft, world, task }: Trial, worker: string): boolean {
  const polling = draft.get('workers', worker).incarnation === null;
  const decision = decide(
    world,
    {
      type: 'work.dispatch',
      project: task.projectId,
      actor: { kind: 'kernel', id: null, name: null },
      workers: [{ worker, max: Number.MAX_SAFE_INTEGER, polling }],
    },
    draft.context,
  );
  if (decision.kind === 'needs') draft.load(decision.needs);
  return (
    decision.kind === 'accepted' &&
    decision.changes.some(
      (it) => it.table === 'attempts' && it.row?.taskId === task.id && it.row.status === 'claimed',
    )
  );
}

function waitsForOf(draft: Draft, task: TaskRow): Explanation['waits_for'] {
  return draft
    .list('edgesIn', task.id)
    .filter((edge) => !edge.satisfied && isRequired(edge))
    .map((edge) => {
      const upstream = draft.get('tasks', edge.upstreamId);
      return { task: upstream.id, key: upstream.key, status: upstream.status, type: edge.type };
    });
}

/** Everything that keeps a task from starting, besides workers: all of it must go. */
function holdsOf(
  draft: Draft,
  task: TaskRow,
  { shut, gates, needs }: Wanted,
  waitsFor: Explanation['waits_for'],
): ExplanationHold[] {
  if (isTerminalTask(task.status) || task.status === 'running' || task.status === 'verifying') {
    return [];
  }
  const run = draft.get('runs', task.runId);
  const holds: ExplanationHold[] = waitsFor.map((it) => ({
    kind: 'dependency',
    what: `${it.key} is ${it.status}`,
    until: null,
    by: [it.key],
  }));
  const hold = (kind: ExplanationHold['kind'], what: string, untilMs: number | null = null) =>
    holds.push({ kind, what, until: untilMs === null ? null : isoOf(untilMs), by: [] });
  if (task.checkpointId !== null) {
    const { kind, question } = draft.get('checkpoints', task.checkpointId);
    hold(kind === 'dispatch_approval' ? 'approval' : 'question', question);
  }
  if (run.barrierId !== null) hold('barrier', 'its run is held for a decision');
  if (task.status === 'paused') hold('paused', `it is paused (${task.reason ?? 'by a person'})`);
  if (task.reason === 'waiting_for_assignment') hold('assignment', 'nobody was named for it');
  if (task.reason === 'stopping')
    hold('stopping', 'the process that it goes on from has not ended');
  if (task.retryAtMs !== null && task.retryAtMs > draft.nowMs) {
    const isRefused = task.reason === 'rate_limited';
    hold(
      isRefused ? 'parked' : 'backoff',
      isRefused ? 'its provider refuses' : 'it failed',
      task.retryAtMs,
    );
  }
  if (shut !== null) holds.push(holdOf(draft, task, shut));
  const engineShut = needs.engine === null ? null : gates.shutBy([`engine:${needs.engine}`]);
  if (engineShut !== null) holds.push(holdOf(draft, task, engineShut));
  for (const parking of draft.list('parkingsOfProject', task.projectId)) {
    if (parking.engine !== needs.engine || parking.untilMs <= draft.nowMs) continue;
    const whose = parking.account ?? draft.find('workers', parking.workerId)?.name ?? 'a worker';
    hold('parked', `${parking.engine} of ${whose} is refused: ${parking.reason}`, parking.untilMs);
  }
  for (const budget of needs.engine === 'shell' ? [] : budgetsOver(draft, task)) {
    if (leftOf(budget) > 0) continue;
    hold(
      'budget',
      `the budget of the ${budget.scope}: $${decimalUsd(budget.spentMicros)} spent and ` +
        `$${decimalUsd(budget.reservedMicros)} set aside of $${decimalUsd(budget.limitMicros)}`,
    );
  }
  return holds;
}

/** What is shut, and which tasks keep it so. */
function holdOf(draft: Draft, task: TaskRow, shut: Shut): ExplanationHold {
  const base = {
    kind: shut.kind === 'full' ? ('limit' as const) : shut.kind,
    what: sayShut(shut),
    until: shut.untilMs === null ? null : isoOf(shut.untilMs),
  };
  if (shut.kind !== 'full') return { ...base, by: [] };
  const held = draft
    .list('slotsOfLimit', limitId(task.projectId, shut.key))
    .filter((it) => it.attemptId !== '');
  const named = held.slice(0, namedMax).map((it) => it.taskId);
  draft.load(rows('tasks', named));
  const more = held.length - named.length;
  return {
    ...base,
    by: [...named.map((id) => draft.get('tasks', id).key), ...(more > 0 ? [`${more} more`] : [])],
  };
}

function byName(a: WorkerRow, b: WorkerRow): number {
  return a.name < b.name ? -1 : 1;
}
