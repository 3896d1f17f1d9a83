import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FailureClass } from '@baton/contract';
import { FAILURE_CLASSES } from '@baton/contract';
import type { Client } from '@baton/sdk';
import { usage } from '../option.ts';
import type { AttemptDoor, Handed } from './door.ts';

const POLL_SECONDS = 50;

/** The same over the public API, with the attempt's token: for agents without a supervisor's socket. */
export function openHttpDoor(
  client: Client,
  attempt: string,
  epoch: number,
  signal: AbortSignal,
): AttemptDoor {
  const accepted = async (body: Promise<unknown>): Promise<Handed> => ({
    state: 'accepted',
    body: await body,
  });
  return {
    task: () => client.attempts.assignment(attempt),
    progress: (progress) => accepted(client.attempts.progress(attempt, { epoch, progress })),
    note: (text) => accepted(client.attempts.note(attempt, { epoch, text })),
    setOutput: (key, data) =>
      accepted(client.attempts.setOutput(attempt, { epoch, key, data: data as never })),
    async addArtifact({ path, name, kind, mediaType }) {
      const read = await readFile(path);
      const content = new Uint8Array(read);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const size = content.byteLength;
      const about = { epoch, name, kind, media_type: mediaType, size, sha256 };
      return accepted(client.attempts.addArtifact(attempt, about, content));
    },
    async ask(question, waitMsMax) {
      const untilMs = performance.now() + waitMsMax;
      const clientId = createHash('sha256').update(JSON.stringify(question)).digest('hex');
      let checkpoint = await client.attempts.ask(attempt, {
        ...question,
        client_id: clientId,
        epoch,
      });
      while (checkpoint.status === 'open' && performance.now() < untilMs && !signal.aborted) {
        const seconds = Math.min(POLL_SECONDS, (untilMs - performance.now()) / 1_000);
        checkpoint = await client.attempts.awaitCheckpoint(attempt, checkpoint.id, seconds);
      }
      return checkpoint.resolution ?? undefined;
    },
    complete: (result) => accepted(client.attempts.complete(attempt, { epoch, result })),
    fail: (reason, failureClass) =>
      accepted(
        client.attempts.fail(attempt, {
          epoch,
          reason,
          ...(failureClass === undefined ? {} : { failure_class: knownClass(failureClass) }),
        }),
      ),
  };
}

function knownClass(text: string): FailureClass {
  const found = FAILURE_CLASSES.find((known) => known === text);
  if (found === undefined) throw usage(`A failure class is one of ${FAILURE_CLASSES.join(', ')}.`);
  return found;
}
