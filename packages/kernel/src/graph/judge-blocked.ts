import type { Draft } from '../draft.ts';
import { rows } from '../need.ts';
import type { TaskRow } from '../rows.ts';
import { cascade, leavePlay, skipTask } from './cascade.ts';
import { deadReason, edgeState, isRequired } from './edge-rule.ts';
import { gateVerdictOf } from './gate.ts';

/**
 * Looks at a task that has just been blocked from all its sides: one whose condition is not met any
 * more is skipped, one that cannot start as things stand is out of play.
 */
export function judgeBlocked(draft: Draft, id: string): void {
  const { dead, unfiredBy } = lookUpstream(draft, id);
  const hasMoved =
    unfiredBy === null
      ? dead !== null && leavePlay(draft, id, dead)
      : skipTask(draft, id, unfiredBy);
  if (hasMoved) cascade(draft, [id]);
}

/** Why a blocked task cannot start as things stand, or null when it may yet. */
export function findDead(draft: Draft, id: string): string | null {
  return lookUpstream(draft, id).dead;
}

function lookUpstream(
  draft: Draft,
  id: string,
): { readonly dead: string | null; readonly unfiredBy: TaskRow | null } {
  const open = draft.list('edgesIn', id).filter((edge) => !edge.satisfied && isRequired(edge));
  draft.load(
    rows(
      'tasks',
      open.map((edge) => edge.upstreamId),
    ),
  );
  let dead: string | null = null;
  let unfiredBy: TaskRow | null = null;
  for (const edge of open) {
    const upstream = draft.get('tasks', edge.upstreamId);
    const state = edgeState(edge, upstream, () => gateVerdictOf(draft, upstream));
    if (state === 'dead') dead ??= deadReason(edge, upstream);
    if (state === 'unfired') unfiredBy ??= upstream;
  }
  return { dead, unfiredBy };
}
