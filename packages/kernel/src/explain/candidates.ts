import type { Candidate } from '@baton/contract';
import { isoOf } from '../iso-time.ts';
import { takesSlot } from '../attempt/slots.ts';
import type { Draft } from '../draft.ts';
import type { Gates, Shut } from '../limits/gates.ts';
import { fundsFor } from '../limits/budget.ts';
import { unavailableBecause } from '../matching/availability.ts';
import { misfits } from '../matching/fits.ts';
import { scoreParts, totalScore } from '../matching/score.ts';
import type { HardNeeds, TaskRow, TaskSpecRow, WorkerRow } from '../rows.ts';

/** What a worker is held against. */
export interface Wanted {
  readonly task: TaskRow;
  readonly spec: TaskSpecRow['spec'];
  readonly needs: HardNeeds;
  readonly inputMakers: readonly string[];
  readonly continuesOn: string | null;
  /** What lets no attempt of the task start, whoever takes it. */
  readonly shut: Shut | null;
  readonly gates: Gates;
}

/** Whether a worker may take a task now, each thing that speaks against it, and how well it suits. */
export function candidateOf(draft: Draft, wanted: Wanted, worker: WorkerRow): Candidate {
  const { task, spec, needs, gates, shut, inputMakers, continuesOn } = wanted;
  const used = draft.list('openAttemptsOfWorker', worker.id).filter(takesSlot).length;
  const disqualified = misfits(needs, worker);
  const why = unavailableBecause(worker, draft.context);
  if (why !== null) disqualified.push(why);
  if (used >= worker.slots)
    disqualified.push(`has no free slot (${used} of ${worker.slots} in use)`);
  const now = gates.engineNow(needs, worker);
  if (now !== null && 'kind' in now) disqualified.push(sayShut(now));
  if (shut !== null) disqualified.push(sayShut(shut));
  if (now !== null && 'engine' in now) {
    const funds = fundsFor(draft, task, now.engine);
    if ('short' in funds)
      disqualified.push(`the budget of the ${funds.short.scope} has nothing left`);
  } else if (now === null && disqualified.length === 0) {
    disqualified.push(`its fallback engine is for when ${needs.engine ?? 'the engine'} is refused`);
  }
  const eligible = disqualified.length === 0;
  const freeSlots = worker.slots - used;
  const parts = scoreParts({ spec, worker, freeSlots, inputMakers, continuesOn });
  return {
    worker: worker.id,
    name: worker.name,
    eligible,
    score: eligible ? totalScore(parts) : null,
    parts: { ...parts },
    disqualified,
  };
}

/** What is shut, in words. */
export function sayShut({ kind, key, untilMs }: Shut): string {
  const until = untilMs === null ? '' : ` until ${isoOf(untilMs)}`;
  switch (kind) {
    case 'full':
      return `the limit of ${key} is reached`;
    case 'rate':
      return `the rate of ${key} lets nothing start${until}`;
    case 'parked':
      return `${key} is refused by its provider${until}`;
  }
}
