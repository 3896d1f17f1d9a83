import type { Command } from '@baton/contract';
import { INCARNATION_MAX, nextIncarnation } from '@baton/store';
import type { Log } from './log.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';

/** Epochs of an incarnation begin at its number times this. */
const epochsPerIncarnation = 2 ** 32;
/** Two raises are this far apart at least: whoever shows nonsense must not use up the numbers. */
const raisePauseMs = 60_000;

/** Which history of the database this is, and proofs that a part of it was lost. */
export interface History {
  incarnation(): number;
  learn(incarnation: number): void;
  /** Somebody has a cursor that this database has never given. */
  shownCursor(incarnation: number): Promise<void>;
  /** Looks whether a worker shows an epoch that this database has never given. */
  shownEpochs(command: Command): Promise<void>;
}

/**
 * A database that was put back to an earlier state does not know it. A worker that shows an epoch, or a
 * reader that shows a position, which it never gave, proves it: then another history begins, whose
 * epochs and cursors cannot be taken for those of the lost one.
 */
export function createHistory(
  store: Pick<CoordinatorStore, 'raiseIncarnation' | 'findEpochs'>,
  log: Log,
  monotonicMs: () => number,
): History {
  let current = 0;
  let raisedAtMs = -Infinity;

  async function raise(shown: number, proof: string): Promise<void> {
    const nowMs = monotonicMs();
    if (store.raiseIncarnation === undefined || nowMs - raisedAtMs < raisePauseMs) return;
    raisedAtMs = nowMs;
    const before = current;
    const wanted = Math.max(shown, before) + 1;
    if (wanted > INCARNATION_MAX) return;
    current = Math.max(current, await store.raiseIncarnation(before, wanted));
    log.warn({ before, now: current, proof }, 'the database was put back: another history begins');
  }

  return {
    incarnation: () => current,
    learn(incarnation) {
      current = Math.max(current, incarnation);
    },
    async shownCursor(incarnation) {
      // Numbers follow the clock, so that one from far ahead is no proof of anything.
      if (incarnation > nextIncarnation(current, Date.now()) + 1) return;
      if (incarnation >= current) await raise(incarnation, 'a cursor');
    },
    async shownEpochs(command) {
      const shown = epochsOf(command).filter(
        ({ epoch }) => epoch >= current * epochsPerIncarnation,
      );
      if (shown.length === 0 || store.findEpochs === undefined) return;
      const known = await store.findEpochs(shown.map(({ id }) => id));
      const proof = shown.find(({ id, epoch }) => epoch > (known.get(id) ?? -1));
      if (proof === undefined) return;
      await raise(Math.floor(proof.epoch / epochsPerIncarnation), `epoch ${proof.epoch}`);
    },
  };
}

/**
 * Attempts that a worker says it has, with the epochs it got them under. What an attempt's own token
 * says proves nothing: an agent may say anything.
 */
function epochsOf(command: Command): readonly { readonly id: string; readonly epoch: number }[] {
  if (command.type === 'worker.hello') return command.hello.attempts;
  if (!('attempt' in command && 'worker' in command && 'body' in command)) return [];
  const { attempt, worker, body } = command;
  if (worker === null || typeof body !== 'object' || !('epoch' in body)) return [];
  return [{ id: attempt, epoch: body.epoch }];
}
