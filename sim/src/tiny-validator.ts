import type { SchemaValidator } from '@baton/coordinator';

interface TinySchema {
  readonly type?: string;
}

/** Enough of JSON Schema to be right or wrong, at once and without a thread: `type`. */
export const tinyValidator: SchemaValidator = {
  schemaFault: (schema) => {
    const { type } = schema as TinySchema;
    return Promise.resolve(
      type === undefined || ['object', 'string', 'number'].includes(type) ? null : `type ${type}`,
    );
  },
  violations: (schema, data) => Promise.resolve(tinyViolations(schema, data)),
  close: () => Promise.resolve(),
};

/** What is wrong with data; empty when nothing is. */
export function tinyViolations(schema: unknown, data: unknown): readonly string[] {
  const { type } = schema as TinySchema;
  return type === undefined || typeof data === type ? [] : [`must be ${type}`];
}
