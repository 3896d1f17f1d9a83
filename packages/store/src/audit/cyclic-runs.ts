import { findCycle } from '@baton/kernel';
import { z } from 'zod';
import type { AdminSession } from '../db.ts';
import { statement } from '../statement.ts';
import type { AuditFault } from './audit-check.ts';

/** Edges are read for this many runs at a time. */
const RUNS_PAGE = 100;

const runsWithEdges = statement({
  name: 'runsWithEdges',
  args: (after: string) => [after, RUNS_PAGE],
  row: z.strictObject({ id: z.string() }),
  sql: `
    select id
      from runs r
     where id > $1
       and exists (select from dependencies d where d.run_id = r.id)
     order by id
     limit $2`,
});

const edgesOfRuns = statement({
  name: 'edgesOfRuns',
  args: (runs: readonly string[]) => [runs],
  row: z.strictObject({ run: z.string(), from: z.string(), to: z.string() }),
  sql: `
    select run_id as run, upstream_id as "from", downstream_id as "to"
      from dependencies
     where run_id = any($1)
       and type <> 'related'`,
});

/** Runs whose graph has a cycle. Linear in the edges: a chain of ten thousand tasks is no harder than any. */
export async function findCyclicRuns(
  queries: Pick<AdminSession, 'query'>,
): Promise<readonly AuditFault[]> {
  const faults: AuditFault[] = [];
  for (let after = ''; ;) {
    const runs = (await queries.query(runsWithEdges, after)).map(({ id }) => id);
    const byRun = new Map<string, { from: string; to: string }[]>(runs.map((id) => [id, []]));
    for (const { run, from, to } of await queries.query(edgesOfRuns, runs)) {
      byRun.get(run)?.push({ from, to });
    }
    for (const [subject, arcs] of byRun) {
      const nodes = [...new Set(arcs.flatMap(({ from, to }) => [from, to]))];
      const cycle = findCycle(nodes, arcs);
      if (cycle !== null) faults.push({ subject, found: `a cycle: ${cycle.join(' -> ')}` });
    }
    const last = runs.at(-1);
    if (runs.length < RUNS_PAGE || last === undefined) return faults;
    after = last;
  }
}
