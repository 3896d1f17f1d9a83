import { API_BASE, ROUTES, type Route } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from './document.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly example?: unknown }>>;
  };
}
const document = openApiDocument('1.2.3') as unknown as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
};

describe('the OpenAPI document', () => {
  test('has each route of the table under its method, and nothing else', () => {
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => `${operationId} ${method} ${path}`,
      ),
    );
    const routes = Object.entries(ROUTES).map(([name, route]: [string, Route]) => {
      const path = route.root === undefined ? API_BASE + route.path : route.path;
      return `${name} ${route.method.toLowerCase()} ${path}`;
    });
    expect(listed.toSorted()).toEqual(routes.toSorted());
  });

  test('every reference leads somewhere in it', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    const dangling = [...new Set(references)].filter(
      (it) => document.components.schemas[it.replace('#/components/schemas/', '')] === undefined,
    );
    expect(references.length).toBeGreaterThan(20);
    expect(dangling).toEqual([]);
  });

  test('every body has an example', () => {
    const without = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ operationId }) => operationId !== 'putUpload')
      .filter(({ requestBody }) => requestBody !== undefined)
      .filter(({ requestBody }) => requestBody?.content['application/json']?.example === undefined);
    expect(without).toEqual([]);
  });

  test('a caller may leave out what has a default, and is told that it always gets it', () => {
    const schemas = document.components.schemas as Record<string, { required?: string[] }>;
    expect(schemas['TaskSpecInput']?.required ?? []).not.toContain('priority');
    expect(schemas['TaskSpec']?.required).toContain('priority');
  });
});
