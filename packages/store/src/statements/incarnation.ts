import { z } from 'zod';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';

/** Epochs are incarnation x 2^32 + n and must stay whole numbers below 2^53. */
export const INCARNATION_MAX = 2 ** 21 - 1;

const FIRST_QUARTER_MS = Date.UTC(2026, 0, 1);
const QUARTER_HOUR_MS = 15 * 60_000;

/**
 * The number of a history that begins now, after one with the number `before`. It follows the clock (a
 * step each quarter of an hour), so that two restores of the same backup at different times differ,
 * although neither knows of the other; at least one more than `before`.
 */
export function nextIncarnation(before: number, nowMs: number): number {
  const byClock = Math.floor((nowMs - FIRST_QUARTER_MS) / QUARTER_HOUR_MS);
  // A clock that is decades ahead must not use up the numbers.
  const isPlausible = byClock > before && byClock < INCARNATION_MAX / 2;
  return Math.min(isPlausible ? byClock : before + 1, INCARNATION_MAX);
}

export const setIncarnation = statement({
  name: 'setIncarnation',
  args: (from: number, to: number) => [from, to],
  row: z.strictObject({ incarnation: z.int() }),
  sql: `
    update feed
       set incarnation = greatest(incarnation, case when incarnation = $1 then $2::bigint
                                                    else incarnation end)
     where id = 1
    returning incarnation`,
});

/**
 * Begins another history: raises the incarnation from `from` to `to`, unless somebody raised it
 * already. Resolves with the one that holds now.
 */
export async function raiseIncarnation(queries: Asker, from: number, to: number): Promise<number> {
  const [row] = await queries.query(setIncarnation, from, Math.min(to, INCARNATION_MAX));
  if (row === undefined) throw new Error('the feed has no head; the database is not migrated');
  return row.incarnation;
}

export const epochsOfAttempts = statement({
  name: 'epochsOfAttempts',
  args: (ids: readonly string[]) => [ids],
  row: z.strictObject({ id: z.string(), epoch: z.int() }),
  sql: `
    select id, epoch
      from attempts
     where id = any($1::text[])`,
});

/** Epochs of attempts by id; those that are not there are left out. */
export async function findEpochs(
  queries: Asker,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await queries.query(epochsOfAttempts, ids);
  return new Map(rows.map(({ id, epoch }) => [id, epoch]));
}
