// What counts of an answer when two databases are asked the same.
import type { AssignmentRows } from '@baton/kernel';
import { canonical } from '../sql/canonical.ts';

interface OfProject {
  readonly id: string;
  readonly projectId: string;
}

/** The ids of rows. */
export const ids = (rows: readonly OfProject[]): string[] => rows.map((it) => it.id).sort();

/** The ids of attempts, with the ends of their leases. */
export const leaseIds = (rows: readonly (OfProject & { leaseUntilMs: number })[]): string[] =>
  rows.map((it) => `${it.id} ${it.leaseUntilMs}`).sort();

/** The keys of rows. */
export const keys = (rows: readonly { readonly key: string }[]): string[] =>
  rows.map((it) => it.key).sort();

/** Whole rows, in no order. */
export const whole = (rows: readonly unknown[]): string[] => rows.map(canonical).sort();

/** Each engine of each project once. */
export const engines = (rows: readonly { projectId: string; engine: string }[]): string[] =>
  [...new Set(rows.map((it) => `${it.projectId} ${it.engine}`))].sort();

/** The rows of an assignment; lists of them have no order. */
export const inAnyOrder = (rows: AssignmentRows | undefined): unknown =>
  rows &&
  Object.fromEntries(
    Object.entries(rows).map(([name, it]) => [name, Array.isArray(it) ? whole(it) : it]),
  );
