import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, ERROR_CODES } from '@baton/contract';
import { createClient, type Client } from '@baton/sdk';
import { expect, onTestFinished } from 'vitest';
import { eventsOf, untilEnded } from './run.ts';
import type { Tower } from './tower.ts';

/** Work that goes on while a test breaks things: a submitter and workers that are only HTTP clients. */
export interface Load {
  /** Runs that the control plane has acknowledged. */
  readonly acknowledged: readonly string[];
  /** @throws what ended it before its time, if something did. */
  assertGoing(): void;
  /** No new runs; resolves when the submitter has stopped. */
  stopSubmitting(): Promise<void>;
  /** Ends the workers. */
  stop(): Promise<void>;
}

/** Three tasks; a contract passes down. */
const chain = {
  tasks: [
    { key: 'first', kind: 'command' as const, spec: 'first', outputs: [{ key: 'n' }] },
    { key: 'second', kind: 'command' as const, spec: 'second' },
    { key: 'third', kind: 'command' as const, spec: 'third' },
  ],
  dependencies: [
    { upstream: 'first', downstream: 'second', type: 'input' as const, contract_key: 'n' },
    { upstream: 'second', downstream: 'third' },
  ],
};

/** Starts the load: every `pauseMs` a run of three tasks, done by two workers with four hands each. */
export async function startLoad(tower: Tower, pauseMs: number): Promise<Load> {
  const acknowledged: string[] = [];
  let isSubmitting = true;
  let isWorking = true;
  // A test that ends early must not leave it to knock at what comes after.
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const joined = await Promise.all(['hand-1', 'hand-2'].map((name) => join(tower, name)));
  const submitting = (async () => {
    for (let sent = 0; isSubmitting && !isOver; sent++) {
      acknowledged.push(await submit(tower, sent, () => isOver));
      await sleep(pauseMs);
    }
  })();
  const hands = joined.flatMap((worker) =>
    Array.from({ length: 4 }, () => work(worker, () => isWorking && !isOver)),
  );
  let fault: { readonly error: unknown } | undefined;
  for (const it of [submitting, ...hands]) {
    it.catch((error: unknown) => {
      fault ??= { error };
    });
  }
  return {
    acknowledged,
    assertGoing() {
      if (fault !== undefined) throw fault.error;
    },
    async stopSubmitting() {
      isSubmitting = false;
      await submitting;
    },
    async stop() {
      isWorking = false;
      await Promise.all(hands);
    },
  };
}

/** Sends one run until it is acknowledged, always under the same key. */
async function submit(tower: Tower, sent: number, isOver: () => boolean): Promise<string> {
  const body = { goal: `run ${sent}`, plan: chain };
  const idempotencyKey = `load-${sent}`;
  const made = await insist(
    () => tower.client.call('createRun', { body, idempotencyKey }),
    () => !isOver(),
  );
  return made.run.id;
}

interface Joined {
  readonly id: string;
  readonly client: Client;
}

async function join(tower: Tower, name: string): Promise<Joined> {
  const { token } = await tower.client.call('createWorkerToken', { body: { name } });
  const made = await tower.client.call('registerWorker', {
    body: { token, name, slots: 8, capabilities: { engines: ['shell'] } },
  });
  return { id: made.id, client: createClient({ baseUrl: tower.url, token: made.key }) };
}

/** One hand of a worker: claims, starts, completes; says the same again until it is answered. */
async function work(worker: Joined, isWanted: () => boolean): Promise<void> {
  while (isWanted()) {
    try {
      const { items } = await worker.client.call('claimAttempts', {
        params: { id: worker.id },
        query: { wait: 1 },
        body: { max: 1 },
      });
      for (const { attempt, task } of items) {
        const { client } = worker;
        const params = { id: attempt.id };
        const { epoch } = attempt;
        await insist(() => client.call('startAttempt', { params, body: { epoch } }), isWanted);
        const contracts = task.key === 'first' ? { n: 7 } : {};
        const result = { status: 'success' as const, summary: task.key, contracts };
        const body = { epoch, result };
        await insist(() => client.call('completeAttempt', { params, body }), isWanted);
      }
    } catch (error) {
      // Another hand of the same worker was given it too, and has ended it.
      if (!isAway(error) && codeOf(error) !== 'stale_epoch') throw error;
      await sleep(50);
    }
  }
}

/** Repeats a call while the control plane or its database is away, and the answer is wanted. */
async function insist<T>(call: () => Promise<T>, isWanted: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isAway(error) || !isWanted()) throw error;
      await sleep(50);
    }
  }
}

/** Away, or drowned: whatever the error table says may be said again. */
function isAway(error: unknown): boolean {
  return error instanceof AppError && ERROR_CODES[error.code].retry;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

/** Every acknowledged run has completed, and each task exactly once. */
export async function expectAllDoneOnce(tower: Tower, acknowledged: readonly string[]) {
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  for (const id of acknowledged) {
    const { graph } = await untilEnded(tower, id);
    expect(graph.run.status).toBe('completed');
    const events = await eventsOf(tower, id);
    expect(events.map((event) => event.run_seq)).toEqual(events.map((_, index) => index + 1));
    for (const task of graph.tasks) {
      const own = events.filter((event) => event.task === task.id).map((event) => event.type);
      expect(own.filter((type) => type === 'task.completed')).toHaveLength(1);
      expect(own.filter((type) => type === 'attempt.claimed')).toHaveLength(1);
      expect(own.filter((type) => type === 'attempt.succeeded')).toHaveLength(1);
    }
  }
}
