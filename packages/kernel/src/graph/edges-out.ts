import type { Draft } from '../draft.ts';
import { list, lists, rows } from '../need.ts';
import type { DependencyRow } from '../rows.ts';

/** Levels that are loaded one by one. What goes deeper loads its run whole: each level is a round trip. */
const levelsMax = 3;

/**
 * Reads a graph downstream, a level a call: answers the edges out of some tasks of one run, whose
 * ends are loaded then. Specs of the ends are loaded too once it has gone deep.
 */
export function edgesOutReader(draft: Draft): (ids: readonly string[]) => DependencyRow[] {
  let levels = 0;
  let whole: Map<string, string[]> | null = null;
  return (ids) => {
    levels += 1;
    if (levels > levelsMax && whole === null) whole = loadWhole(draft, ids);
    if (whole !== null) {
      const out = whole;
      return ids.flatMap((id) =>
        (out.get(id) ?? []).map((edge) => draft.get('dependencies', edge)),
      );
    }
    draft.load(lists('edgesOut', ids));
    const edges = ids.flatMap((id) => draft.list('edgesOut', id));
    draft.load(
      rows(
        'tasks',
        edges.map((edge) => edge.downstreamId),
      ),
    );
    return edges;
  };
}

/** Ids of the edges out of each task of the run that the tasks are of. */
function loadWhole(draft: Draft, ids: readonly string[]): Map<string, string[]> {
  const out = new Map<string, string[]>();
  const [first] = ids;
  if (first === undefined) return out;
  const { runId } = draft.get('tasks', first);
  draft.load([
    list('dependenciesOfRun', runId),
    list('tasksOfRun', runId),
    list('specsOfRun', runId),
  ]);
  for (const edge of draft.list('dependenciesOfRun', runId)) {
    const edges = out.get(edge.upstreamId);
    if (edges === undefined) out.set(edge.upstreamId, [edge.id]);
    else edges.push(edge.id);
  }
  return out;
}
