import { Worker } from 'node:worker_threads';

/** Longest time one validation may compute; a schema that needs more is treated as not satisfied. */
const validationMsMax = 1_000;
/** Longest time it may wait for the processor on top of that. */
const waitMsMax = 30_000;
/** Longest time the thread may take to load its library; on a machine under load that is seconds. */
const startMsMax = 60_000;
const threadUrl = new URL('../../worker/schema-validator.mjs', import.meta.url);

interface Question {
  readonly id: number;
  readonly mode: 'schema' | 'data';
  readonly schema: unknown;
  readonly data: unknown;
  readonly settle: (answer: Answer) => void;
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

/** Starts the thread at first use; replaces it when a validation computes longer than a second. */
export function createSchemaValidator(url: URL = threadUrl): SchemaValidator {
  let thread: Worker | undefined;
  let isReady = false;
  let timer: NodeJS.Timeout | undefined;
  let nextId = 1;
  /** In the order the thread answers them: the first is the one it works on. */
  const pending = new Map<number, Question>();

  function settle(question: Question, answer: Answer): void {
    pending.delete(question.id);
    question.settle(answer);
  }

  /** The clock of the first question: it starts when the thread turns to it, not when it was asked. */
  function watchFirst(): void {
    clearTimeout(timer);
    const first = firstOf(pending);
    if (first === undefined) return;
    const limitMs = isReady ? validationMsMax : startMsMax;
    // An answer may lie unread while this thread was busy: one turn to read it comes first.
    const late = (): void => void setImmediate(() => giveUp(first));
    timer = isReady ? afterComputing(limitMs, late) : setTimeout(late, limitMs);
  }

  /**
   * On a machine under load a thread waits for the processor: as long as this whole process has not
   * computed for `ms`, no thread of it has.
   */
  function afterComputing(ms: number, then: () => void): NodeJS.Timeout {
    const begun = process.cpuUsage();
    const lateMs = performance.now() + ms + waitMsMax;
    const look = (): void => {
      const { user, system } = process.cpuUsage(begun);
      const leftMs = ms - (user + system) / 1_000;
      if (leftMs <= 0 || performance.now() >= lateMs) then();
      else timer = setTimeout(look, Math.max(20, leftMs));
    };
    return setTimeout(look, ms);
  }

  /** Ends a thread that is stuck on a question; the others are asked again, they did nothing wrong. */
  function giveUp(question: Question): void {
    if (firstOf(pending) !== question) return;
    const why = isReady
      ? `validation took longer than ${validationMsMax} ms`
      : `the validator did not start within ${startMsMax / 1_000} s`;
    const late = thread;
    thread = undefined;
    void late?.terminate();
    askAgainWithout(question, why);
  }

  function askAgainWithout(question: Question, why: string): void {
    settle(question, { fault: why, violations: [why] });
    if (pending.size === 0) return;
    const next = open();
    for (const { id, mode, schema, data } of pending.values()) {
      next.postMessage({ id, mode, schema, data });
    }
    watchFirst();
  }

  function open(): Worker {
    if (thread !== undefined) return thread;
    const started = new Worker(url);
    started.unref();
    isReady = false;
    started.on('message', (message: 'ready' | (Answer & { readonly id: number })) => {
      if (thread !== started) return;
      if (message === 'ready') {
        isReady = true;
      } else {
        const question = pending.get(message.id);
        if (question !== undefined) settle(question, message);
      }
      watchFirst();
    });
    const ended = (why: string) => {
      // The end of one that was replaced is no news for those who wait for its successor.
      if (thread !== started) return;
      thread = undefined;
      clearTimeout(timer);
      // The first is what it died of: one fewer each time, so that this ends.
      const first = firstOf(pending);
      if (first !== undefined) askAgainWithout(first, why);
    };
    started.on('error', (error) => ended(`the validator failed: ${String(error)}`));
    started.on('exit', () => ended('the validator ended'));
    thread = started;
    return started;
  }

  function ask(mode: Question['mode'], schema: unknown, data: unknown): Promise<Answer> {
    const id = nextId++;
    return new Promise((resolve) => {
      const isFirst = pending.size === 0;
      const to = open();
      pending.set(id, { id, mode, schema, data, settle: resolve });
      to.postMessage({ id, mode, schema, data });
      if (isFirst) watchFirst();
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
      clearTimeout(timer);
      await open?.terminate();
    },
  };
}

function firstOf(pending: ReadonlyMap<number, Question>): Question | undefined {
  for (const question of pending.values()) return question;
  return undefined;
}
