import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCycle, type Arc } from './find-cycle.ts';

describe('finding a cycle', () => {
  test('spells it out from one node back to itself', () => {
    const arcs: Arc[] = [
      { from: 'z', to: 'a' },
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'c', to: 'd' },
    ];
    const cycle = findCycle(['z', 'a', 'b', 'c', 'd'], arcs) ?? [];
    expect(cycle).toHaveLength(4);
    expect(cycle[0]).toBe(cycle[3]);
    expect([...cycle].slice(1).sort()).toEqual(['a', 'b', 'c']);
    for (let at = 0; at < 3; at++) {
      expect(arcs).toContainEqual({ from: cycle[at], to: cycle[at + 1] });
    }
  });

  test('a node that depends on itself is one', () => {
    expect(findCycle(['a'], [{ from: 'a', to: 'a' }])).toEqual(['a', 'a']);
  });

  test('there is none where all arcs go forward, and one where an arc goes back', () => {
    const graph = fc.integer({ min: 2, max: 40 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        arcs: fc.array(fc.tuple(fc.nat(size - 2), fc.nat(size - 2))),
      }),
    );
    fc.assert(
      fc.property(graph, ({ size, arcs }) => {
        const nodes = Array.from({ length: size }, (_, at) => `n${at}`);
        const forward = arcs.map(([a, b]) => ({
          from: `n${Math.min(a, b)}`,
          to: `n${Math.max(a, b) + 1}`,
        }));
        expect(findCycle(nodes, forward)).toBeNull();
        const first = forward[0];
        if (first === undefined) return;
        const cycle = findCycle(nodes, [...forward, { from: first.to, to: first.from }]) ?? [];
        expect(cycle.length).toBeGreaterThan(2);
        expect(cycle[0]).toBe(cycle.at(-1));
      }),
    );
  });

  test('a chain of 100,000 nodes needs no deep call stack', () => {
    const nodes = Array.from({ length: 100_000 }, (_, at) => `n${at}`);
    const arcs = nodes.slice(1).map((to, at) => ({ from: `n${at}`, to }));
    expect(findCycle(nodes, arcs)).toBeNull();
    expect(findCycle(nodes, [...arcs, { from: 'n99999', to: 'n0' }])).toHaveLength(100_001);
  });
});
