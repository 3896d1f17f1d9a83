import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Checkpoint, FailureClass } from '@baton/contract';
import { FAILURE_CLASSES } from '@baton/contract';
import type { Client } from '@baton/sdk';
import { usage } from '../option.ts';
import type { AttemptDoor, Handed, Word } from './door.ts';

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
  async function wordOn(
    opened: Checkpoint & { readonly yield: boolean },
    waitMsMax: number,
  ): Promise<Word | undefined> {
    if (opened.yield) return { yield: true, checkpoint: opened.id };
    const untilMs = performance.now() + waitMsMax;
    let checkpoint: Checkpoint = opened;
    while (checkpoint.status === 'open' && performance.now() < untilMs && !signal.aborted) {
      const seconds = Math.min(POLL_SECONDS, (untilMs - performance.now()) / 1_000);
      checkpoint = await client.attempts.awaitCheckpoint(attempt, checkpoint.id, seconds);
    }
    const { resolution } = checkpoint;
    return resolution === null ? undefined : { yield: false, resolution };
  }

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
      const client_id = createHash('sha256').update(JSON.stringify(question)).digest('hex');
      const opened = await client.call('openAttemptCheckpoint', {
        params: { id: attempt },
        body: { ...question, client_id, epoch },
      });
      return wordOn(opened, waitMsMax);
    },
    async plan(plan, waitMsMax) {
      const client_id = createHash('sha256').update(JSON.stringify(plan)).digest('hex');
      const opened = await client.call('planAttempt', {
        params: { id: attempt },
        body: { ...plan, client_id, epoch },
      });
      return wordOn(opened, waitMsMax);
    },
    spawn: (task) => accepted(client.tasks.create(task)),
    async children() {
      const { task } = await client.attempts.assignment(attempt);
      const { items } = await client.call('listChildren', { params: { id: task.id }, query: {} });
      return items;
    },
    awaitOthers: (wanted) =>
      client.call('awaitAttempt', { params: { id: attempt }, body: { ...wanted, epoch } }),
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
