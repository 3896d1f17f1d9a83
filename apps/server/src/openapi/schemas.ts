import {
  actor,
  apiKey,
  artifact,
  assignment,
  attempt,
  checkpoint,
  dependency,
  event,
  explanation,
  fleet,
  json,
  logChunk,
  needs,
  note,
  outputSpec,
  planDependency,
  planTask,
  problem,
  retryPolicy,
  run,
  runPolicy,
  task,
  taskOutput,
  taskResult,
  taskSpec,
  upstreamResult,
  usage,
  worker,
  workspace,
} from '@baton/contract';
import { z } from 'zod';

/** Schemas that many routes share; the document names them once and refers to them. */
const named = {
  Actor: actor,
  ApiKey: apiKey,
  Artifact: artifact,
  Assignment: assignment,
  Attempt: attempt,
  Checkpoint: checkpoint,
  Dependency: dependency,
  Event: event,
  Explanation: explanation,
  Fleet: fleet,
  Json: json,
  LogChunk: logChunk,
  Needs: needs,
  Note: note,
  OutputSpec: outputSpec,
  PlanDependency: planDependency,
  PlanTask: planTask,
  Problem: problem,
  RetryPolicy: retryPolicy,
  Run: run,
  RunPolicy: runPolicy,
  Task: task,
  TaskOutput: taskOutput,
  TaskResult: taskResult,
  TaskSpec: taskSpec,
  UpstreamResult: upstreamResult,
  Usage: usage,
  Worker: worker,
  Workspace: workspace,
} as const;

const registry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });

export type JsonSchema = Record<string, unknown>;

/** Turns zod schemas into JSON Schema; what they share is gathered in `components`. */
export interface SchemaWriter {
  /** What a caller sends: defaults may be left out. */
  input(schema: z.ZodType): JsonSchema;
  /** What a caller gets. */
  output(schema: z.ZodType): JsonSchema;
  readonly components: Readonly<Record<string, JsonSchema>>;
}

export function schemaWriter(): SchemaWriter {
  const components: Record<string, JsonSchema> = {};

  function write(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // What is sent and what is got differ, so that a shared schema has a name for each.
    const suffix = io === 'input' ? 'Input' : '';
    const whole = z.toJSONSchema(schema, {
      io,
      metadata: registry,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => tidy(jsonSchema),
    }) as JsonSchema;
    const { $schema: _, $defs: definitions, ...rest } = whole;
    for (const [name, definition] of Object.entries((definitions ?? {}) as typeof components)) {
      components[name + suffix] ??= pointed(definition, suffix) as JsonSchema;
    }
    return pointed(rest, suffix) as JsonSchema;
  }

  return {
    input: (schema) => write(schema, 'input'),
    output: (schema) => write(schema, 'output'),
    components,
  };
}

/** Formats say it shorter than the expressions that zod adds, which fill pages. */
function tidy(schema: JsonSchema): void {
  if (schema['format'] !== undefined) delete schema['pattern'];
  delete schema['id'];
}

/** References within one schema become references within the document. */
function pointed(value: unknown, suffix: string): unknown {
  if (Array.isArray(value)) return value.map((item) => pointed(item, suffix));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string'
        ? item.replace(/^#\/\$defs\/(.+)$/, `#/components/schemas/$1${suffix}`)
        : pointed(item, suffix),
    ]),
  );
}
