import { AHEAD_MUTANTS } from './mutants/ahead-mutants.ts';
import { FEED_MUTANTS } from './mutants/feed-mutants.ts';
import type { MutantRow } from './mutants/mutant-row.ts';
import { SQL_MUTANTS } from './mutants/sql-mutants.ts';
import { STATE_MUTANTS } from './mutants/state-mutants.ts';
import { SWEEP_MUTANTS } from './mutants/sweep-mutants.ts';
import { WORK_MUTANTS } from './mutants/work-mutants.ts';

/** Every defect. Each must be found by the check it names: a check that finds nothing proves nothing. */
export const MUTANTS: readonly MutantRow[] = [
  ...STATE_MUTANTS,
  ...WORK_MUTANTS,
  ...AHEAD_MUTANTS,
  ...FEED_MUTANTS,
  ...SQL_MUTANTS,
  ...SWEEP_MUTANTS,
];

/** Seeds that a defect may take to be found. */
export const SEEDS_MAX = 25;
