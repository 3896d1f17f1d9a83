import { Worker } from 'node:worker_threads';

/** Longest time one validation may take; a schema that needs more is treated as not satisfied. */
const validationMsMax = 1_000;
const threadUrl = new URL('../../worker/schema-validator.mjs', import.meta.url);

interface Pending {
  readonly settle: (answer: Answer) => void;
  readonly timer: NodeJS.Timeout;
}

interface Answer {
  readonly fault?: string | null;
  readonly violations?: readonly string[];
}

/** Validates data against JSON Schema 2020-12, bounded and off the main thread. */
export interface SchemaValidator {
  /** What is wrong with the schema itself, or null. */
  schemaFault(schema: unknown): Promise<string | null>;
  /** What is wrong with the data, at most 20 lines; empty when it is valid. */
  violations(schema: unknown, data: unknown): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts the thread at first use; replaces it when a validation takes longer than a second. */
export function createSchemaValidator(): SchemaValidator {
  let thread: Worker | undefined;
  let nextId = 1;
  const pending = new Map<number, Pending>();

  function settleAll(answer: Answer): void {
    for (const [id, waiting] of pending) {
      pending.delete(id);
      clearTimeout(waiting.timer);
      waiting.settle(answer);
    }
  }

  function open(): Worker {
    if (thread !== undefined) return thread;
    const started = new Worker(threadUrl);
    started.unref();
    started.on('message', (answer: Answer & { readonly id: number }) => {
      const waiting = pending.get(answer.id);
      if (waiting === undefined) return;
      pending.delete(answer.id);
      clearTimeout(waiting.timer);
      waiting.settle(answer);
    });
    const ended = (why: string) => {
      // The end of one that was replaced is no news for those who wait for its successor.
      if (thread !== started) return;
      thread = undefined;
      settleAll({ fault: why, violations: [why] });
    };
    started.on('error', (error) => ended(`the validator failed: ${String(error)}`));
    started.on('exit', () => ended('the validator ended'));
    thread = started;
    return started;
  }

  function ask(mode: 'schema' | 'data', schema: unknown, data: unknown): Promise<Answer> {
    const id = nextId++;
    return new Promise((settle) => {
      const timer = setTimeout(() => {
        const why = `validation took longer than ${validationMsMax} ms`;
        const late = thread;
        thread = undefined;
        settleAll({ fault: why, violations: [why] });
        void late?.terminate();
      }, validationMsMax);
      pending.set(id, { settle, timer });
      open().postMessage({ id, mode, schema, data });
    });
  }

  return {
    async schemaFault(schema) {
      return (await ask('schema', schema, undefined)).fault ?? null;
    },
    async violations(schema, data) {
      return (await ask('data', schema, data)).violations ?? [];
    },
    async close() {
      const open = thread;
      thread = undefined;
      await open?.terminate();
    },
  };
}
