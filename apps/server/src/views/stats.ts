import type { DelegationStats, Stats } from '@baton/contract';
import type { AttemptCount, Count, RunningTask } from '@baton/store';
import { publicTaskId } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';

interface StatsParts {
  readonly nowMs: number;
  readonly sinceMs: number;
  readonly counts: readonly Count[];
  readonly attempts: readonly AttemptCount[];
  readonly running: readonly RunningTask[];
}

/** What there is in a project now, and what its attempts came to. */
export function statsView({ nowMs, sinceMs, counts, attempts, running }: StatsParts): Stats {
  const sum = (of: (it: AttemptCount) => number): number =>
    attempts.reduce((total, it) => total + of(it), 0);
  return {
    at: isoOf(nowMs),
    since: isoOf(sinceMs),
    runs: groupsOf(counts, 'run'),
    tasks: groupsOf(counts, 'task'),
    running: running.map((it) => ({
      task: publicTaskId(it.id),
      run: it.runId,
      key: it.key,
      title: it.title,
      worker_name: it.workerName,
      engine: it.engine,
      progress: it.progress,
      started_at: isoOrNull(it.startedAtMs),
    })),
    attempts: {
      total: sum(({ count }) => count),
      by_status: countBy(attempts, ({ status }) => status),
      by_failure_class: countBy(attempts, ({ failureClass }) => failureClass),
      by_engine: countBy(attempts, ({ engine }) => engine),
    },
    usage: {
      input_tokens: sum((it) => it.inputTokens),
      output_tokens: sum((it) => it.outputTokens),
      cache_read_tokens: sum((it) => it.cacheReadTokens),
      cache_write_tokens: sum((it) => it.cacheWriteTokens),
      usd: usdSum(attempts),
    },
  };
}

/** How agents of a project hand work on. Parts that do not exist yet count nothing. */
export function delegationStatsView(nowMs: number, counts: readonly Count[]): DelegationStats {
  const spawned = groupsOf(counts, 'spawned');
  const awaits = groupsOf(counts, 'await');
  const events = groupsOf(counts, 'event');
  const {
    'task.spawn_refused': capRejections = 0,
    'task.respawn_forced': forced = 0,
    'task.breaker_tripped': trips = 0,
    gate_downgrade: downgrades = 0,
    ...refusals
  } = events;
  return {
    at: isoOf(nowMs),
    spawned: (spawned['open'] ?? 0) + (spawned['ended'] ?? 0),
    open_children: spawned['open'] ?? 0,
    awaits,
    resurrections: (awaits['met'] ?? 0) + (awaits['expired'] ?? 0),
    live_injections: 0,
    cap_rejections: capRejections,
    breaker_trips: trips,
    respawn_refusals: refusals,
    respawns_forced: forced,
    gate_downgrades: downgrades,
  };
}

function groupsOf(counts: readonly Count[], what: string): Record<string, number> {
  return Object.fromEntries(
    counts.filter((it) => it.what === what).map((it) => [it.group, it.count]),
  );
}

function countBy(
  attempts: readonly AttemptCount[],
  of: (it: AttemptCount) => string | null,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const it of attempts) {
    const name = of(it);
    if (name !== null) counts[name] = (counts[name] ?? 0) + it.count;
  }
  return counts;
}

/** Dollars added in millionths, so that no cent is lost. */
function usdSum(attempts: readonly AttemptCount[]): string {
  const micros = attempts.reduce((sum, it) => sum + Math.round(Number(it.usd ?? 0) * 1_000_000), 0);
  return (micros / 1_000_000).toString();
}
