import { isTerminalTask } from '@baton/contract';
import type { DependencyRow, TaskRow } from '../rows.ts';
import type { GateVerdict } from './gate.ts';

/**
 * What an upstream means for an edge: `open` nothing yet; `satisfied`; `dead` never, while nothing
 * upstream is redone; `unfired` a `failure` edge whose upstream ended well: its dependent is skipped.
 */
export type EdgeState = 'open' | 'satisfied' | 'dead' | 'unfired';

const GATE_STATES: { readonly [V in GateVerdict]: EdgeState } = {
  accepted: 'satisfied',
  rejected: 'dead',
  open: 'open',
};

/** Whether an edge must be satisfied before its downstream may start. */
export function isRequired(edge: Pick<DependencyRow, 'type'>): boolean {
  return edge.type !== 'related';
}

/**
 * The state of an edge by its upstream. `verdict` is that on the upstream's result, asked for only by a
 * `gate` of a completed upstream.
 */
export function edgeState(
  edge: Pick<DependencyRow, 'type' | 'rule'>,
  upstream: Pick<TaskRow, 'status' | 'outOfPlay'>,
  verdict: () => GateVerdict,
): EdgeState {
  if (!isRequired(edge)) return 'satisfied';
  const { status, outOfPlay } = upstream;
  if (!isTerminalTask(status) && !outOfPlay) return 'open';
  switch (edge.rule) {
    case 'done':
      return 'satisfied';
    case 'failure':
      if (outOfPlay) return 'dead';
      return status === 'failed' ? 'satisfied' : 'unfired';
    case 'success':
      if (status !== 'completed') return 'dead';
      return edge.type === 'gate' ? GATE_STATES[verdict()] : 'satisfied';
  }
}

/** Why a dependent of a dead edge is out of play. The key is that of the task where it began. */
export function deadReason(
  edge: Pick<DependencyRow, 'type'>,
  upstream: Pick<TaskRow, 'status' | 'key' | 'outOfPlay' | 'reason'>,
): string {
  const { status, reason, outOfPlay, key } = upstream;
  const isConsequence = outOfPlay || status === 'skipped';
  if (isConsequence && /^(?:dependency|gate)_failed:/.test(reason ?? '')) return reason ?? '';
  const isVerdict = edge.type === 'gate' && (status === 'completed' || status === 'failed');
  return `${isVerdict ? 'gate' : 'dependency'}_failed:${key}`;
}
