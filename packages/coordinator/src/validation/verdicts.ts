import type { Need } from '@baton/kernel';
import type { SchemaValidator } from './schema-validator.ts';

const verdictsMax = 2_000;

/** Verdicts of the validator that a decision may ask for, remembered by content. */
export interface Verdicts {
  readonly violations: (schema: unknown, data: unknown) => readonly string[] | undefined;
  readonly schemaFault: (schema: unknown) => string | null | undefined;
  /** Computes what is asked for and not remembered. Other kinds of needs are left alone. */
  prepare(needs: readonly Need[]): Promise<void>;
}

/** A bounded memory over a validator. Keys are the JSON text, so equal content is validated once. */
export function createVerdicts(validator: SchemaValidator): Verdicts {
  const faults = new Map<string, string | null>();
  const found = new Map<string, readonly string[]>();
  const pairKey = (schema: unknown, data: unknown): string =>
    `${JSON.stringify(schema)}\n${JSON.stringify(data)}`;

  function remember<V>(memory: Map<string, V>, key: string, value: V): void {
    if (memory.size >= verdictsMax) memory.clear();
    memory.set(key, value);
  }

  async function prepareOne(need: Need): Promise<void> {
    if (need.kind === 'schema') {
      const key = JSON.stringify(need.schema);
      if (!faults.has(key)) remember(faults, key, await validator.schemaFault(need.schema));
    }
    if (need.kind === 'validation') {
      const key = pairKey(need.schema, need.data);
      if (found.has(key)) return;
      remember(found, key, await validator.violations(need.schema, need.data));
    }
  }

  return {
    violations: (schema, data) => found.get(pairKey(schema, data)),
    schemaFault: (schema) => faults.get(JSON.stringify(schema)),
    async prepare(needs) {
      await Promise.all(needs.map(prepareOne));
    },
  };
}
