import { claim, loadForClaim } from '../attempt/claim.ts';
import type { Draft } from '../draft.ts';
import { fits } from '../matching/fits.ts';
import { takesSlot } from '../attempt/slots.ts';
import { scoreParts, totalScore } from '../matching/score.ts';
import { list, lists, row, rows } from '../need.ts';
import type { ReadyRow, WorkerRow } from '../rows.ts';
import type { Handler } from './handler.ts';

/** A worker that asks for work, with what it may still take. */
interface Seeker {
  readonly id: string;
  left: number;
  used: number;
}

/**
 * Hands ready work to the workers that ask for it: tasks in queue order, each to the worker that suits
 * it best of those that fit and have a free slot.
 */
export const workDispatch: Handler<'work.dispatch'> = (draft, command) => {
  const { project } = command;
  draft.load([
    list('readyOfProject', project),
    ...rows(
      'workers',
      command.workers.map((it) => it.worker),
    ),
    ...lists(
      'openAttemptsOfWorker',
      command.workers.map((it) => it.worker),
    ),
  ]);
  const claimed: { worker: string; attempt: string }[] = [];
  const seekers: Seeker[] = [];
  for (const asked of command.workers) {
    const worker = draft.own('workers', asked.worker);
    if (worker === null) continue;
    const open = draft.list('openAttemptsOfWorker', worker.id);
    let max = asked.max;
    if (asked.polling === true) {
      const again = open.filter((it) => it.status === 'claimed').slice(0, max);
      claimed.push(...again.map((it) => ({ worker: worker.id, attempt: it.id })));
      max -= again.length;
      noteSeen(draft, worker);
    } else if (worker.incarnation === null) {
      continue;
    }
    if (worker.draining) continue;
    const used = open.filter(takesSlot).length;
    const left = Math.min(max, worker.slots - used);
    if (left > 0) seekers.push({ id: worker.id, left, used });
  }
  claimed.push(...handOut(draft, project, seekers));
  return { claimed };
};

/** Asking over HTTP is a sign of life; who holds a link shows it by beats. */
function noteSeen(draft: Draft, worker: WorkerRow): void {
  draft.put('workers', { ...worker, lastSeenAtMs: draft.nowMs, presence: 'online' });
  if (worker.presence !== 'online')
    draft.event('worker.online', { run: null }, { name: worker.name });
}

function handOut(
  draft: Draft,
  project: string,
  seekers: readonly Seeker[],
): { worker: string; attempt: string }[] {
  const claimed: { worker: string; attempt: string }[] = [];
  // Seekers that several tasks fit fill up: what was chosen beyond that leaves slots for later tasks.
  for (;;) {
    const free = seekers.filter((it) => it.left > 0);
    const chosen = chooseTasks(draft, project, free);
    if (chosen.length === 0) return claimed;
    loadForClaim(draft, chosen);
    const before = claimed.length;
    for (const taskId of chosen) {
      const best = bestSeeker(draft, taskId, free);
      if (best === null) continue;
      const attempt = claim(draft, taskId, draft.get('workers', best.seeker.id), best.score);
      best.seeker.left -= 1;
      best.seeker.used += 1;
      claimed.push({ worker: best.seeker.id, attempt: attempt.id });
    }
    if (claimed.length === before) return claimed;
  }
}

/** Tasks to take now, in queue order: each fits a seeker that has a slot left. */
function chooseTasks(draft: Draft, project: string, seekers: readonly Seeker[]): string[] {
  const total = seekers.reduce((sum, it) => sum + it.left, 0);
  if (total === 0) return [];
  const queue = [...draft.list('readyOfProject', project)].sort(inQueueOrder);
  draft.load(
    rows(
      'needs',
      queue.map((it) => it.needsId),
    ),
  );
  /** Slots that each set of needs can still get; sets that share seekers may be promised too many. */
  const roomByNeeds = new Map<string, number>();
  const chosen: ReadyRow[] = [];
  for (const ready of queue) {
    if (chosen.length >= total) break;
    let room = roomByNeeds.get(ready.needsId);
    if (room === undefined) {
      const { needs } = draft.get('needs', ready.needsId);
      const fitting = seekers.filter((it) => fits(needs, draft.get('workers', it.id)));
      room = fitting.reduce((sum, it) => sum + it.left, 0);
    }
    if (room > 0) chosen.push(ready);
    roomByNeeds.set(ready.needsId, room - 1);
  }
  draft.load(
    chosen.flatMap(({ taskId, runId }) => [
      row('ready', taskId),
      row('tasks', taskId),
      row('taskSpecs', taskId),
      row('runs', runId),
      list('edgesIn', taskId),
    ]),
  );
  return chosen.map((it) => it.taskId).filter((id) => draft.get('tasks', id).status === 'ready');
}

function bestSeeker(
  draft: Draft,
  taskId: string,
  seekers: readonly Seeker[],
): { seeker: Seeker; score: number } | null {
  const { needs } = draft.get('needs', draft.get('tasks', taskId).needsId);
  const { spec } = draft.get('taskSpecs', taskId);
  const inputMakers = inputMakersOf(draft, taskId);
  const { continueAttemptId } = draft.get('tasks', taskId);
  const continuesOn =
    continueAttemptId === null ? null : draft.get('attempts', continueAttemptId).workerId;
  let best: { seeker: Seeker; score: number; lastMs: number } | null = null;
  for (const seeker of seekers) {
    const worker = draft.get('workers', seeker.id);
    if (seeker.left <= 0 || !fits(needs, worker)) continue;
    const freeSlots = worker.slots - seeker.used;
    const score = totalScore(scoreParts({ spec, worker, freeSlots, inputMakers, continuesOn }));
    const lastMs = worker.lastClaimAtMs ?? 0;
    const isBetter =
      best === null || score > best.score || (score === best.score && lastMs < best.lastMs);
    if (isBetter) best = { seeker, score, lastMs };
  }
  return best;
}

/** The workers whose attempts made what a task takes as input. */
function inputMakersOf(draft: Draft, taskId: string): string[] {
  return draft
    .list('edgesIn', taskId)
    .filter((edge) => edge.type === 'input')
    .flatMap((edge) => {
      const made = draft.get('tasks', edge.upstreamId).resultAttemptId;
      return made === null ? [] : [draft.get('attempts', made).workerId];
    });
}

/** Priority, then fairness between runs, then age. */
export function inQueueOrder(a: ReadyRow, b: ReadyRow): number {
  return a.priority - b.priority || a.pass - b.pass || a.seq - b.seq;
}
