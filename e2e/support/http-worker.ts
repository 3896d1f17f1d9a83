import type { Assignment } from '@baton/contract';
import { createClient, type Client } from '@baton/sdk';
import { createHash } from 'node:crypto';
import { until, type Tower } from './tower.ts';

/** An attempt in the hands of a test: every step an agent would take, when the test wants it. */
export interface HeldAttempt {
  readonly id: string;
  readonly epoch: number;
  readonly task: string;
  readonly client: Client;
  /** Adds to a log stream. */
  say(stream: 'stdout' | 'stderr' | 'agent', text: string): Promise<void>;
  ask(question: string, options: readonly string[]): Promise<string>;
  /** Hands in a patch as an artifact. */
  patch(text: string): Promise<void>;
  complete(summary: string): Promise<void>;
}

/** A worker that a test plays itself, over plain HTTP: no process, no agent, no waiting. */
export interface HttpWorker {
  /** Waits for the next work and starts it. */
  take(): Promise<HeldAttempt>;
}

/** Joins a worker with its own token. */
export async function joinHttpWorker(tower: Tower, name: string, slots = 4): Promise<HttpWorker> {
  const { token } = await tower.client.call('createWorkerToken', { body: { name } });
  const joined = await tower.client.call('registerWorker', {
    body: { token, name, slots, capabilities: { engines: ['shell', 'claude'] } },
  });
  const worker = createClient({ baseUrl: tower.url, token: joined.key });
  return {
    async take() {
      let taken: Assignment | undefined;
      await until(`${name} has work`, async () => {
        const { items } = await worker.call('claimAttempts', {
          params: { id: joined.id },
          query: { wait: 5 },
          body: { max: 1 },
        });
        taken = items[0];
        return taken !== undefined;
      });
      if (taken === undefined) throw new Error('no work');
      const held = hold(tower, taken);
      await held.client.call('startAttempt', {
        params: { id: held.id },
        body: { epoch: held.epoch },
      });
      return held;
    },
  };
}

function hold(tower: Tower, assignment: Assignment): HeldAttempt {
  const { id, epoch } = assignment.attempt;
  const client = createClient({ baseUrl: tower.url, token: assignment.token });
  const offsets = new Map<string, number>();
  return {
    id,
    epoch,
    task: assignment.task.id,
    client,
    async say(stream, text) {
      const { next_offset: next } = await client.call('appendAttemptLog', {
        params: { id },
        body: { epoch, stream, offset: offsets.get(stream) ?? 0, data: text },
      });
      offsets.set(stream, next);
    },
    async ask(question, options) {
      const made = await client.attempts.ask(id, { epoch, question, options: [...options] });
      return made.id;
    },
    async patch(text) {
      const content = new TextEncoder().encode(text);
      const sha256 = createHash('sha256').update(content).digest('hex');
      await client.attempts.addArtifact(
        id,
        {
          epoch,
          name: 'work.patch',
          kind: 'patch',
          media_type: 'text/x-diff',
          size: content.length,
          sha256,
        },
        content,
      );
    },
    async complete(summary) {
      await client.attempts.complete(id, { epoch, result: { status: 'success', summary } });
    },
  };
}
