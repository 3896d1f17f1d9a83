import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { EXAMPLES } from './examples.ts';
import type { Route } from './route.ts';
import { ROUTES, type RouteName } from './table.ts';

const names = Object.keys(ROUTES) as RouteName[];

describe('the example of each route', () => {
  test.each(names)('%s fits its schemas', (name) => {
    const route: Route = ROUTES[name];
    const example: Readonly<Record<string, unknown>> = { ...EXAMPLES[name] };
    const parts = { params: route.params, query: route.query, body: route.body };
    for (const [part, schema] of Object.entries(parts)) {
      if (schema === undefined) expect(example[part]).toBeUndefined();
      else if (part !== 'query' || example[part] !== undefined) schema.parse(example[part]);
    }
    if (route.reply === null) expect(example['reply']).toBeUndefined();
    else expect(route.reply.parse(example['reply'])).toEqual(example['reply']);
  });

  test('a route that takes a body, and one that answers, has them in its example', () => {
    const missing = names.filter((name) => {
      const route: Route = ROUTES[name];
      const example = EXAMPLES[name];
      return (
        (route.body !== undefined && !('body' in example)) ||
        (route.reply !== null && !('reply' in example))
      );
    });
    expect(missing).toEqual([]);
  });

  test('examples are what goes over the wire: JSON, and no more fields than the schema knows', () => {
    expect(names.filter((name) => !z.json().safeParse(EXAMPLES[name]).success)).toEqual([]);
  });
});
