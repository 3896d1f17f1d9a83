import { z } from 'zod';
import { anyId, instant, taskKey } from './ids.ts';
import { usage } from './result.ts';
import { progress } from './task.ts';

const counts = z.record(z.string(), z.int());

/** Answer of `GET /stats`: what there is now, and what attempts came to since `since`. */
export const stats = z.object({
  at: instant,
  since: instant.describe('attempts that were claimed after it are counted'),
  runs: counts.describe('by status'),
  tasks: counts.describe('by status'),
  running: z
    .array(
      z.object({
        task: anyId,
        run: anyId,
        key: taskKey,
        title: z.string(),
        worker_name: z.string().nullable(),
        engine: z.string().nullable(),
        progress: progress.nullable(),
        started_at: instant.nullable(),
      }),
    )
    .describe('running tasks, the oldest first, at most 100'),
  attempts: z.object({
    total: z.int(),
    by_status: counts,
    by_failure_class: counts,
    by_engine: counts,
  }),
  usage,
});
export type Stats = z.infer<typeof stats>;

/** Answer of `GET /stats/delegation`: how agents hand work on, over the events that are kept. */
export const delegationStats = z.object({
  at: instant,
  spawned: z.int().describe('tasks made by agents'),
  open_children: z.int().describe('of those, not ended'),
  awaits: counts.describe('by status'),
  resurrections: z.int().describe('times an agent was resumed with results'),
  live_injections: z.int().describe('times results reached an agent that went on running'),
  cap_rejections: z.int().describe('spawns refused by a limit'),
  breaker_trips: z.int().describe('chains that failed three times in a row'),
  respawn_refusals: z.record(z.string(), z.int()).describe('by code'),
  respawns_forced: z.int(),
  gate_downgrades: z.int().describe('successes that cited files which were not there'),
});
export type DelegationStats = z.infer<typeof delegationStats>;
