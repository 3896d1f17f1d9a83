import type { DependencyRow } from '../rows.ts';
import { isRequired } from './edge-rule.ts';

/** The tasks on a way along the edges from one to another, both ends included; null: there is none. */
export function findPath(
  dependencies: readonly DependencyRow[],
  from: string,
  to: string,
): string[] | null {
  const out = new Map<string, string[]>();
  for (const edge of dependencies) {
    if (!isRequired(edge)) continue;
    const next = out.get(edge.upstreamId);
    if (next === undefined) out.set(edge.upstreamId, [edge.downstreamId]);
    else next.push(edge.downstreamId);
  }
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const queue = [from];
  for (let at = 0; at < queue.length && !cameFrom.has(to); at++) {
    const node = queue[at] ?? from;
    for (const next of out.get(node) ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  if (!cameFrom.has(to)) return null;
  const path: string[] = [];
  for (let node: string | null = to; node !== null; node = cameFrom.get(node) ?? null)
    path.push(node);
  return path.toReversed();
}
