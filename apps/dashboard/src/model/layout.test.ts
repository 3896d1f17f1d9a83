import { describe, expect, test } from 'vitest';
import { activeScene, wideScene } from '../../dev/scenes.ts';
import { createWorld } from '../../dev/world.ts';
import { layoutGraph, neighbour, NODE, structureKey } from './layout.ts';

function scene() {
  const world = createWorld();
  activeScene(world);
  const tasks = [...world.tasks.values()];
  const idOf = (key: string): string => tasks.find((task) => task.key === key)?.id ?? '';
  return { tasks, edges: world.edges, idOf };
}

describe('the layout of a graph', () => {
  test('goes from left to right along the edges and lays nothing on top of another', () => {
    const { tasks, edges, idOf } = scene();
    const places = layoutGraph(tasks, edges);
    const x = (key: string): number => places.get(idOf(key))?.x ?? Number.NaN;
    expect(x('design')).toBeLessThan(x('impl-users'));
    expect(x('impl-users')).toBe(x('impl-auth'));
    expect(x('impl-auth')).toBeLessThan(x('verify'));
    expect(x('verify')).toBeLessThan(x('integrate'));
    const y = (key: string): number => places.get(idOf(key))?.y ?? Number.NaN;
    expect(y('impl-users')).toBeLessThan(y('impl-auth'));
    const all = [...places.values()];
    for (const [index, one] of all.entries()) {
      for (const other of all.slice(index + 1)) {
        const apart =
          Math.abs(one.x - other.x) >= NODE.width || Math.abs(one.y - other.y) >= NODE.height;
        expect(apart).toBe(true);
      }
    }
  });

  test('does not depend on what the tasks are doing', () => {
    const { tasks, edges } = scene();
    const later = tasks.map((task) => ({ ...task, status: 'completed' as const, usd: '9' }));
    const satisfied = edges.map((edge) => ({ ...edge, satisfied: true }));
    expect(structureKey(later, satisfied.toReversed())).toBe(structureKey(tasks, edges));
    expect(layoutGraph(later, satisfied)).toEqual(layoutGraph(tasks, edges));
  });

  test('places thousands of tasks in columns', () => {
    const world = createWorld();
    wideScene(world, 2_000);
    const places = layoutGraph([...world.tasks.values()], world.edges);
    expect(places.size).toBe(2_002);
    expect(new Set([...places.values()].map(({ x }) => x)).size).toBe(3);
  });
});

describe('an arrow key', () => {
  test('follows edges sideways and stays in the column up and down', () => {
    const { tasks, edges, idOf } = scene();
    const places = layoutGraph(tasks, edges);
    const from = (key: string, arrow: Parameters<typeof neighbour>[1]): string | undefined => {
      const id = neighbour(idOf(key), arrow, places, edges);
      return tasks.find((task) => task.id === id)?.key;
    };
    expect(from('verify', 'ArrowRight')).toBe('integrate');
    expect(from('integrate', 'ArrowLeft')).toBe('verify');
    expect(from('integrate', 'ArrowRight')).toBeUndefined();
    const column = ['impl-users', 'impl-auth', 'docs', 'deploy-staging'];
    const next = from('impl-auth', 'ArrowDown') ?? from('impl-auth', 'ArrowUp');
    expect(column).toContain(next);
    expect(next).not.toBe('impl-auth');
  });
});
