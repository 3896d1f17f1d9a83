import { Graph, layout as dagreLayout } from '@dagrejs/dagre';
import type { Dependency, Task } from '@baton/contract';

/** Size of a task in the graph, in pixels at zoom 1. */
export const NODE = { width: 220, height: 64 } as const;
const GAP = { between: 28, ranks: 84 } as const;
/** Beyond this many tasks the layered layout takes seconds; a simpler one takes milliseconds. */
const LAYERED_MAX = 600;

export interface Place {
  readonly x: number;
  readonly y: number;
}

export type Places = ReadonlyMap<string, Place>;

/** What a layout depends on. While it stays the same nothing in the graph moves. */
export function structureKey(tasks: readonly Task[], edges: readonly Dependency[]): string {
  const nodes = tasks.map(({ id }) => id).join(' ');
  const lines = edges.map(({ upstream, downstream }) => `${upstream}>${downstream}`);
  return `${nodes}|${[...new Set(lines)].toSorted().join(' ')}`;
}

/** Places tasks from left to right along their edges: upper left corners, from 0, 0. */
export function layoutGraph(tasks: readonly Task[], edges: readonly Dependency[]): Places {
  const known = new Set(tasks.map(({ id }) => id));
  const lines = edges.filter(
    ({ upstream, downstream }) => known.has(upstream) && known.has(downstream),
  );
  return tasks.length > LAYERED_MAX ? columns(tasks, lines) : layered(tasks, lines);
}

function layered(tasks: readonly Task[], edges: readonly Dependency[]): Places {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: GAP.between, ranksep: GAP.ranks });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of tasks) graph.setNode(id, { ...NODE });
  for (const edge of edges) {
    // `related` tells nothing about order, so it pulls least.
    graph.setEdge(edge.upstream, edge.downstream, { weight: edge.type === 'related' ? 0 : 2 });
  }
  dagreLayout(graph);
  const places = new Map<string, Place>();
  for (const { id } of tasks) {
    const node = graph.node(id);
    places.set(id, { x: (node.x ?? 0) - NODE.width / 2, y: (node.y ?? 0) - NODE.height / 2 });
  }
  return inPlanOrder(tasks, places);
}

/** The plan is read from top to bottom; where the layout came out the other way round it is mirrored. */
function inPlanOrder(tasks: readonly Task[], places: Places): Places {
  const last = new Map<number, number>();
  let downward = 0;
  for (const { id } of tasks) {
    const { x, y } = places.get(id) ?? { x: 0, y: 0 };
    const above = last.get(x);
    if (above !== undefined) downward += Math.sign(y - above);
    last.set(x, y);
  }
  if (downward >= 0) return places;
  const bottom = Math.max(...[...places.values()].map(({ y }) => y));
  return new Map([...places].map(([id, { x, y }]) => [id, { x, y: bottom - y }]));
}

function columns(tasks: readonly Task[], edges: readonly Dependency[]): Places {
  const rank = ranksOf(tasks, edges);
  const filled = new Map<number, number>();
  const places = new Map<string, Place>();
  for (const { id } of tasks) {
    const column = rank.get(id) ?? 0;
    const row = filled.get(column) ?? 0;
    filled.set(column, row + 1);
    places.set(id, {
      x: column * (NODE.width + GAP.ranks),
      y: row * (NODE.height + GAP.between),
    });
  }
  return places;
}

/** The longest way from a task without upstream to each task. */
function ranksOf(
  tasks: readonly Task[],
  edges: readonly Dependency[],
): ReadonlyMap<string, number> {
  const behind = new Map<string, string[]>();
  const missing = new Map<string, number>(tasks.map(({ id }) => [id, 0]));
  for (const { upstream, downstream, type } of edges) {
    if (type === 'related') continue;
    behind.set(upstream, [...(behind.get(upstream) ?? []), downstream]);
    missing.set(downstream, (missing.get(downstream) ?? 0) + 1);
  }
  const rank = new Map<string, number>();
  const queue = tasks.filter(({ id }) => missing.get(id) === 0).map(({ id }) => id);
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const here = rank.get(id) ?? 0;
    rank.set(id, here);
    for (const next of behind.get(id) ?? []) {
      rank.set(next, Math.max(rank.get(next) ?? 0, here + 1));
      const left = (missing.get(next) ?? 1) - 1;
      missing.set(next, left);
      if (left === 0) queue.push(next);
    }
  }
  return rank;
}

/** The task that an arrow key leads to from `id`: along an edge, or the nearest in the same column. */
export function neighbour(
  id: string,
  key: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown',
  places: Places,
  edges: readonly Dependency[],
): string | undefined {
  const here = places.get(id);
  if (here === undefined) return undefined;
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const forward = key === 'ArrowRight';
    const ends = edges
      .filter((edge) => (forward ? edge.upstream : edge.downstream) === id)
      .map((edge) => (forward ? edge.downstream : edge.upstream));
    return nearest(ends, here, places);
  }
  const column = [...places].filter(
    ([other, { x, y }]) =>
      other !== id && x === here.x && (key === 'ArrowDown' ? y > here.y : y < here.y),
  );
  return nearest(
    column.map(([other]) => other),
    here,
    places,
  );
}

function nearest(ids: readonly string[], from: Place, places: Places): string | undefined {
  const distance = (id: string): number => {
    const place = places.get(id);
    return place === undefined ? Number.POSITIVE_INFINITY : Math.abs(place.y - from.y);
  };
  return ids.toSorted((a, b) => distance(a) - distance(b))[0];
}
