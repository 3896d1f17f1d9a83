import { claim, loadForClaim } from '../attempt/claim.ts';
import type { Draft } from '../draft.ts';
import { enginesOf, fits } from '../matching/fits.ts';
import { takesSlot } from '../attempt/slots.ts';
import { scoreParts, totalScore } from '../matching/score.ts';
import { fundsFor, holdUnfunded } from '../limits/budget.ts';
import { Gates } from '../limits/gates.ts';
import { ownKeysOf } from '../limits/limit-keys.ts';
import { unparkEngines } from '../limits/parking.ts';
import { unavailableBecause } from '../matching/availability.ts';
import { needsIdsOf } from '../matching/hard-needs.ts';
import { inQueueOrder, turnsAfter, type Placed, type Turns } from '../matching/queue-order.ts';
import { list, lists, row, rows } from '../need.ts';
import type { HardNeeds, ReadyRow, WorkerRow } from '../rows.ts';
import { changeTask } from '../task/change-task.ts';
import type { Need } from '../world.ts';
import type { Handler } from './handler.ts';

/** A worker that asks for work, with what it may still take. */
interface Seeker {
  /** As it was when it asked. */
  readonly worker: WorkerRow;
  left: number;
  used: number;
  lastClaimAtMs: number;
}

/** A seeker that has what some needs ask for, and the engines that would do. */
interface Suited {
  readonly seeker: Seeker;
  readonly engines: readonly string[];
}

/**
 * Hands ready work to the workers that ask for it: tasks in queue order, each to the worker that suits
 * it best of those that fit and have a free slot.
 */
export const workDispatch: Handler<'work.dispatch'> = (draft, command) => {
  const { project } = command;
  draft.load([
    list('readyOfProject', project),
    list('limitsOfProject', project),
    list('freeSlotsOfProject', project),
    list('parkingsOfProject', project),
    row('budgets', project),
    ...rows(
      'workers',
      command.workers.map((it) => it.worker),
    ),
    ...lists(
      'slotsOfWorker',
      command.workers.map((it) => it.worker),
    ),
  ]);
  const claimed: { worker: string; attempt: string }[] = [];
  const seekers: Seeker[] = [];
  for (const asked of command.workers) {
    const worker = draft.own('workers', asked.worker);
    if (worker === null) continue;
    const open = draft.list('slotsOfWorker', worker.id);
    let max = asked.max;
    if (asked.polling === true) {
      const again = open.filter((it) => it.status === 'claimed').slice(0, max);
      claimed.push(...again.map((it) => ({ worker: worker.id, attempt: it.id })));
      max -= again.length;
      noteSeen(draft, worker);
    } else if (worker.incarnation === null) {
      continue;
    }
    const now = draft.get('workers', worker.id);
    if (unavailableBecause(now, draft.context) !== null) continue;
    const used = open.filter(takesSlot).length;
    const left = Math.min(max, worker.slots - used);
    const lastClaimAtMs = worker.lastClaimAtMs ?? 0;
    if (left > 0) seekers.push({ worker: now, left, used, lastClaimAtMs });
  }
  unparkEngines(draft, draft.list('parkingsOfProject', project));
  const gates = new Gates(
    {
      limits: draft.list('limitsOfProject', project),
      freeSlots: draft.list('freeSlotsOfProject', project),
      parkings: draft.list('parkingsOfProject', project),
    },
    draft.nowMs,
  );
  const round = handOut(draft, project, seekers, gates);
  for (const id of new Set(round.claimed.map((it) => it.worker))) {
    draft.put('workers', { ...draft.get('workers', id), lastClaimAtMs: draft.nowMs });
  }
  const opensAtMs = gates.opensAtMs();
  return {
    claimed: [...claimed, ...round.claimed],
    ...(round.claimed.length === 0 ? {} : { turns: round.turns }),
    ...(round.movedOn ? { again: true } : {}),
    ...(opensAtMs === null ? {} : { againAtMs: opensAtMs }),
  };
};

/** Asking over HTTP is a sign of life; who holds a link shows it by beats. */
function noteSeen(draft: Draft, worker: WorkerRow): void {
  draft.put('workers', { ...worker, lastSeenAtMs: draft.nowMs, presence: 'online' });
  if (worker.presence !== 'online')
    draft.event('worker.online', { run: null }, { name: worker.name });
}

/** What a round of handing out did. */
interface Round {
  readonly claimed: { worker: string; attempt: string }[];
  /** How far turns are by what was taken. */
  turns: Turns;
  /** Tasks that stood in the way were put elsewhere: there may be work behind them. */
  movedOn: boolean;
}

function handOut(draft: Draft, project: string, seekers: readonly Seeker[], gates: Gates): Round {
  const turns = draft.context.turnsOf(project);
  const round: Round = { claimed: [], turns, movedOn: false };
  const passedOver = new Set<string>();
  const suitedFor = suitedReader(draft, seekers);
  // Seekers that several tasks fit fill up: what was chosen beyond that leaves slots for later tasks.
  for (;;) {
    const total = seekers.reduce((sum, it) => sum + it.left, 0);
    const queue = { project, turns: round.turns, passedOver, total };
    const chosen = chooseTasks(draft, queue, suitedFor, gates);
    if (chosen.length === 0) return round;
    loadForClaim(
      draft,
      chosen.map((it) => it.row.taskId),
    );
    const before = round.claimed.length + passedOver.size;
    for (const placed of chosen) {
      const { taskId } = placed.row;
      const { spec } = draft.get('taskSpecs', taskId);
      const shut = gates.shutBy(ownKeysOf(spec));
      if (shut !== null) {
        passedOver.add(taskId);
        if (regroup(draft, taskId, shut.key, gates)) round.movedOn = true;
        continue;
      }
      const best = bestSeeker(draft, taskId, suitedFor, gates);
      if (best === null) continue;
      const { seeker, score, engine } = best;
      const funds = fundsFor(draft, draft.get('tasks', taskId), engine);
      if ('short' in funds) {
        passedOver.add(taskId);
        if (funds.short.scope === 'project') continue;
        holdUnfunded(draft, draft.get('tasks', taskId));
        round.movedOn = true;
        continue;
      }
      const { worker } = seeker;
      const attempt = claim(draft, taskId, worker, { score, engine, gates, funds });
      seeker.left -= 1;
      seeker.used += 1;
      seeker.lastClaimAtMs = draft.nowMs;
      round.claimed.push({ worker: worker.id, attempt: attempt.id });
      round.turns = turnsAfter(round.turns, placed);
    }
    if (round.claimed.length + passedOver.size === before) return round;
  }
}

/**
 * A task that became ready before one of its keys had a limit stands among tasks without one: it is put
 * among those that count under the key. Answers whether it was.
 */
function regroup(draft: Draft, taskId: string, key: string, gates: Gates): boolean {
  const ready = draft.get('ready', taskId);
  const { needs } = draft.get('needs', ready.needsId);
  if (needs.keys?.includes(key) === true) return false;
  const { spec } = draft.get('taskSpecs', taskId);
  const [needsId = ready.needsId] = needsIdsOf(draft, [spec], needs.worker, gates.keys);
  changeTask(draft, taskId, { needsId });
  draft.put('ready', { ...ready, needsId });
  return true;
}

/** Answers who suits each set of needs. Looked at once for a set: nothing of it changes while work is handed out. */
type SuitedFor = (needsId: string) => readonly Suited[];

function suitedReader(draft: Draft, seekers: readonly Seeker[]): SuitedFor {
  const byNeeds = new Map<string, readonly Suited[]>();
  return (needsId) => {
    const known = byNeeds.get(needsId);
    if (known !== undefined) return known;
    const { needs } = draft.get('needs', needsId);
    const suited = seekers
      .filter((it) => fits(needs, it.worker))
      .map((seeker) => ({ seeker, engines: enginesOf(needs, seeker.worker.capabilities) }));
    byNeeds.set(needsId, suited);
    return suited;
  };
}

interface Queue {
  readonly project: string;
  readonly turns: Turns;
  readonly passedOver: ReadonlySet<string>;
  /** Free slots of all seekers. */
  readonly total: number;
}

/** Tasks to take now, in queue order: each fits a seeker that has a slot left. */
function chooseTasks(
  draft: Draft,
  { project, turns, passedOver, total }: Queue,
  suitedFor: SuitedFor,
  gates: Gates,
): Placed[] {
  if (total === 0) return [];
  const waiting = draft.list('readyOfProject', project).filter((it) => !passedOver.has(it.taskId));
  const queue = inQueueOrder(waiting, draft.nowMs, turns);
  draft.load(
    rows(
      'needs',
      queue.map((it) => it.row.needsId),
    ),
  );
  /** Slots that each set of needs can still get; sets that share seekers may be promised too many. */
  const roomByNeeds = new Map<string, number>();
  const chosen: Placed[] = [];
  for (const placed of queue) {
    if (chosen.length >= total) break;
    const { needsId } = placed.row;
    let room = roomByNeeds.get(needsId);
    if (room === undefined) {
      room = roomFor(draft.get('needs', needsId).needs, suitedFor(needsId), gates);
    }
    if (room > 0) chosen.push(placed);
    roomByNeeds.set(needsId, room - 1);
  }
  draft.load(chosen.flatMap((it) => needsToStart(it.row)));
  return chosen.filter((it) => draft.get('tasks', it.row.taskId).status === 'ready');
}

/** What choosing a worker for a task in the queue reads; known before anything is decided. */
export function needsToStart({ taskId, runId }: Pick<ReadyRow, 'taskId' | 'runId'>): Need[] {
  return [
    row('ready', taskId),
    row('tasks', taskId),
    row('taskSpecs', taskId),
    row('runs', runId),
    list('edgesIn', taskId),
  ];
}

/** Slots of the seekers that may start work with these needs now. */
function roomFor(needs: HardNeeds, suited: readonly Suited[], gates: Gates): number {
  if (gates.shutBy(needs.keys ?? []) !== null) return 0;
  return suited
    .filter((it) => engineNow(needs, it, gates) !== null)
    .reduce((sum, it) => sum + it.seeker.left, 0);
}

function engineNow(needs: HardNeeds, { seeker, engines }: Suited, gates: Gates): string | null {
  const now = gates.engineNow(needs, seeker.worker, engines);
  return now !== null && 'engine' in now ? now.engine : null;
}

function bestSeeker(
  draft: Draft,
  taskId: string,
  suitedFor: SuitedFor,
  gates: Gates,
): { seeker: Seeker; score: number; engine: string } | null {
  const { needsId, continueAttemptId } = draft.get('tasks', taskId);
  const { needs } = draft.get('needs', needsId);
  const { spec } = draft.get('taskSpecs', taskId);
  const inputMakers = inputMakersOf(draft, taskId);
  const continuesOn =
    continueAttemptId === null ? null : draft.get('attempts', continueAttemptId).workerId;
  let best: { seeker: Seeker; score: number; engine: string } | null = null;
  for (const suited of suitedFor(needsId)) {
    const { seeker } = suited;
    const engine = seeker.left > 0 ? engineNow(needs, suited, gates) : null;
    if (engine === null) continue;
    const { worker, lastClaimAtMs } = seeker;
    const freeSlots = worker.slots - seeker.used;
    const score = totalScore(scoreParts({ spec, worker, freeSlots, inputMakers, continuesOn }));
    const isBetter =
      best === null ||
      score > best.score ||
      (score === best.score && lastClaimAtMs < best.seeker.lastClaimAtMs);
    if (isBetter) best = { seeker, score, engine };
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
