import { isTerminalTask, type Run, type TaskStatus } from '@baton/contract';
import { METER_ORDER } from './states.ts';

/** One stretch of a progress meter. */
export interface Segment {
  readonly status: TaskStatus;
  readonly count: number;
}

/** Progress of a run by the status of its tasks. `done` counts completed ones alone. */
export interface Progress {
  readonly done: number;
  readonly ended: number;
  readonly total: number;
  readonly working: number;
  readonly segments: readonly Segment[];
}

type Counts = Run['tasks_by_status'];

/** What a meter shows, from how many tasks are in each status. */
export function progressOf(counts: Counts, total: number): Progress {
  const segments = METER_ORDER.map((status) => ({ status, count: counts[status] ?? 0 })).filter(
    ({ count }) => count > 0,
  );
  const sum = (take: (status: TaskStatus) => boolean): number =>
    segments.filter(({ status }) => take(status)).reduce((all, { count }) => all + count, 0);
  return {
    done: counts.completed ?? 0,
    ended: sum(isTerminalTask),
    total: Math.max(
      total,
      sum(() => true),
    ),
    working: sum((status) => status === 'running' || status === 'verifying'),
    segments,
  };
}
