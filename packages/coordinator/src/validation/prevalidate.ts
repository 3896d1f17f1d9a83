import type { Command } from '@baton/contract';
import { expandGoal, type Need } from '@baton/kernel';
import type { ServiceStore } from '../store/coordinator-store.ts';

/**
 * The verdicts a command will need, found before its batch, so that no transaction waits for the
 * validator. Missing one is harmless: the batch then asks for it.
 */
export async function prevalidations(store: ServiceStore, command: Command): Promise<Need[]> {
  switch (command.type) {
    case 'run.create': {
      const { plan } = expandGoal(command.body);
      return plan.tasks.flatMap((task) => schemasOf(task.outputs));
    }
    case 'task.create':
      return schemasOf(command.body.outputs);
    case 'attempt.output':
      return dataOf(store, command.attempt, { [command.body.key]: command.body.data });
    case 'attempt.complete':
      return dataOf(store, command.attempt, command.body.result.contracts ?? {});
    default:
      return [];
  }
}

function schemasOf(outputs: readonly { readonly schema?: unknown }[]): Need[] {
  return outputs.flatMap((it) =>
    it.schema === undefined ? [] : [{ kind: 'schema' as const, schema: it.schema }],
  );
}

async function dataOf(
  store: ServiceStore,
  attempt: string,
  data: Readonly<Record<string, unknown>>,
): Promise<Need[]> {
  if (Object.keys(data).length === 0) return [];
  const declared = await store.findDeclaredOutputs(attempt);
  return declared.flatMap((output) =>
    output.schema === undefined || !Object.hasOwn(data, output.key)
      ? []
      : [{ kind: 'validation' as const, schema: output.schema, data: data[output.key] }],
  );
}
