import {
  API_BASE,
  ERROR_CODES,
  EXAMPLES,
  LIMITS,
  ROUTES,
  problem,
  type ErrorCode,
  type Json,
  type Route,
  type RouteName,
} from '@baton/contract';
import { z } from 'zod';
import { schemaWriter, type JsonSchema, type SchemaWriter } from './schemas.ts';

/** Refusals that any route with a credential may answer with. */
const always: readonly ErrorCode[] = [
  'bad_request',
  'rate_limited',
  'internal',
  'storage_full',
  'store_unavailable',
];
const withCredential: readonly ErrorCode[] = ['unauthenticated', 'forbidden'];
const withBody: readonly ErrorCode[] = [
  'unknown_field',
  'body_too_large',
  'unsupported_media_type',
  'idempotency_conflict',
];

/** This API as OpenAPI 3.1, made from the route table: what is not in the table is not in the API. */
export function openApiDocument(version: string): Record<string, Json> {
  const schemas = schemaWriter();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const route: Route = ROUTES[name];
    const path = route.root === undefined ? API_BASE + route.path : route.path;
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operation(name, route, schemas);
  }
  const problemSchema = schemas.output(problem);
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Baton',
      version,
      summary: 'A self-hosted control tower for fleets of AI agents.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values(ROUTES).map(({ area }) => area))].map((name) => ({ name })),
    security: [{ bearer: [] }, { apiKey: [] }, { session: [] }],
    paths,
    components: {
      schemas: { ...schemas.components, ...namedProblem(problemSchema) },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, worker key or attempt token.',
        },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'baton',
          description: 'Set by POST /login; its name ends in the id of the installation.',
        },
      },
    },
  };
  // A round trip drops what is undefined, so that the document is plain JSON.
  return JSON.parse(JSON.stringify(document)) as Record<string, Json>;
}

function namedProblem(schema: JsonSchema): Record<string, JsonSchema> {
  return '$ref' in schema ? {} : { Problem: schema };
}

function operation(name: RouteName, route: Route, schemas: SchemaWriter): JsonSchema {
  const example: Readonly<Record<string, unknown>> = { ...EXAMPLES[name] };
  return {
    operationId: name,
    tags: [route.area],
    summary: route.summary,
    description: `Needs the permission \`${route.permission}\`.`,
    'x-baton-permission': route.permission,
    ...(route.permission === 'public' ? { security: [] } : {}),
    parameters: [
      ...parameters('path', route.params, schemas, example['params']),
      ...parameters('query', route.query, schemas, example['query']),
      ...(route.method === 'POST' ? [idempotencyKey] : []),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: requestBody(route, schemas, example['body']) }),
    ...(name === 'putUpload' ? { requestBody: upload } : {}),
    responses: {
      [String(route.status)]: success(route, schemas, example['reply']),
      ...refusals(route),
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same request under the same key takes effect once and is answered with what it made, as that is by then; kept 7 days. Another request under the key is refused.',
  schema: { type: 'string', maxLength: 255 },
};

const upload = {
  required: true,
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};

function requestBody(route: Route, schemas: SchemaWriter, example: unknown): JsonSchema {
  const bytesMax = route.bodyBytesMax ?? LIMITS.bodyBytesMax;
  return {
    required: true,
    description: `At most ${bytesMax} bytes.`,
    content: {
      'application/json': {
        schema: route.body === undefined ? {} : schemas.input(route.body),
        example,
      },
    },
  };
}

function parameters(
  place: 'path' | 'query',
  schema: z.ZodType | undefined,
  schemas: SchemaWriter,
  example: unknown,
): JsonSchema[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const examples = (example ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(
    ([name, field]) => {
      const { description, ...rest } = schemas.input(field);
      return {
        name,
        in: place,
        required: place === 'path',
        ...(description === undefined ? {} : { description }),
        schema: rest,
        ...(examples[name] === undefined ? {} : { example: examples[name] }),
      };
    },
  );
}

const mediaTypes = {
  json: 'application/json',
  sse: 'text/event-stream',
  bytes: 'application/octet-stream',
  html: 'text/html',
} as const;

function success(route: Route, schemas: SchemaWriter, example: unknown): JsonSchema {
  if (route.kind === 'none') return { description: 'Done.' };
  const schema = route.reply === null ? { type: 'string' } : schemas.output(route.reply);
  const streamed = route.path.endsWith('/events')
    ? { 'text/event-stream': { schema: { type: 'string' } } }
    : {};
  return {
    description: route.summary,
    content: {
      [mediaTypes[route.kind]]: { schema, ...(example === undefined ? {} : { example }) },
      ...streamed,
    },
  };
}

/** One answer per status, with the codes that lead to it. */
function refusals(route: Route): JsonSchema {
  const codes = new Set<ErrorCode>([
    ...route.errors,
    ...always,
    ...(route.permission === 'public' ? [] : withCredential),
    ...(route.body === undefined ? [] : withBody),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, all]) => [
        String(status),
        {
          description: all.map((code) => `\`${code}\``).join(', '),
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        },
      ]),
  );
}
