/** An edge between two nodes by name. */
export interface Arc {
  readonly from: string;
  readonly to: string;
}

/**
 * A cycle in a graph, as its nodes in order with the first repeated at the end, or null. Linear in
 * nodes and arcs, without recursion: what cannot be peeled off from the front holds a cycle.
 */
export function findCycle(nodes: readonly string[], arcs: readonly Arc[]): string[] | null {
  const into = new Map(nodes.map((node) => [node, 0]));
  const out = new Map<string, string[]>(nodes.map((node) => [node, []]));
  for (const { from, to } of arcs) {
    into.set(to, (into.get(to) ?? 0) + 1);
    out.get(from)?.push(to);
  }
  const free = nodes.filter((node) => into.get(node) === 0);
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    into.delete(node);
    for (const next of out.get(node) ?? []) {
      const left = (into.get(next) ?? 0) - 1;
      into.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  return into.size === 0 ? null : traceCycle(into, arcs);
}

/** Every node that is left has one before it that is left: going back must come round. */
function traceCycle(left: ReadonlyMap<string, number>, arcs: readonly Arc[]): string[] {
  const before = new Map<string, string>();
  for (const { from, to } of arcs) if (left.has(from) && left.has(to)) before.set(to, from);
  const path: string[] = [];
  const placeOf = new Map<string, number>();
  let node = [...before.keys()][0] ?? '';
  while (!placeOf.has(node)) {
    placeOf.set(node, path.length);
    path.push(node);
    node = before.get(node) ?? node;
  }
  return [node, ...path.slice(placeOf.get(node)).toReversed()];
}
