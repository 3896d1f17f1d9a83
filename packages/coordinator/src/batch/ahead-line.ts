import { isDeepStrictEqual } from 'node:util';
import type { NewEvent } from '@baton/kernel';
import { StoreError } from '@baton/store';
import type { DispatchTarget } from '../dispatch/dispatcher.ts';
import type { Log } from '../log.ts';
import { createQueueRefill } from '../memory/queue-refill.ts';
import { NotRemembered, RememberedReads } from '../memory/remembered-reads.ts';
import type { FeedState, Premises } from '../store/batch-store.ts';
import { MoreLocks, placed, type BatchResult } from './batch-result.ts';
import { decideBatch, type DecidedBatch } from './decide-batch.ts';
import type { BatchPorts } from './open-batch.ts';
import type { Pending } from './pending.ts';

/**
 * Batches under way at most: one that the store writes, and one that waits for it there. More would make
 * batches smaller, and each costs a synced commit.
 */
const underWayMax = 2;
const pauseMs = 200;
const triesMax = 100;

/** A batch as it was taken. */
export interface Taken {
  readonly items: readonly Pending[];
  readonly targets: readonly DispatchTarget[];
}

interface Sent extends Taken {
  readonly done: DecidedBatch['done'];
  readonly premises: Premises;
}

/** What a line works with. */
export interface AheadLineSettings {
  readonly ports: BatchPorts;
  readonly log: Log;
  /** A batch was decided and is under way; it may still fail. */
  readonly decided: (done: DecidedBatch['done']) => void;
  /** A batch is durable. */
  readonly finish: (items: readonly Pending[], result: BatchResult) => void;
  /** It cannot be told whether these took effect. */
  readonly unknown: (items: readonly Pending[]) => void;
  /** What was told by `decided` has not happened. There is something to be taken by `takeFailed`. */
  readonly failed: (done: DecidedBatch['done']) => void;
}

/**
 * Batches that are decided from memory, each on what the one before leaves behind, while the store still
 * writes that one: so the store and this process work at the same time. Nothing is answered before it is
 * durable. Whatever fails is decided anew, in order, by asking the store.
 */
export interface AheadLine {
  /** Decides a batch and sends it; false: it has to ask the store. */
  send(taken: Taken): Promise<boolean>;
  /** Resolves when one more may be sent. */
  room(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  readonly hasFailed: boolean;
  /** Batches that left nothing behind and must be run, in order. Only when nothing is under way. */
  takeFailed(): readonly Taken[];
}

/** Nothing is under way at first. */
export function createAheadLine(settings: AheadLineSettings): AheadLine {
  const { ports, log } = settings;
  const { memory, store, runtime } = ports;
  const refill = createQueueRefill({ store, memory, log });
  const underWay: Promise<void>[] = [];
  let failed: Taken[] = [];

  async function settle(sent: Sent, writing: ReturnType<typeof store.write>): Promise<void> {
    const before = underWay.at(-1);
    const result = await writing.then(
      (place) => placed(sent.done, place),
      async (error: unknown): Promise<BatchResult | 'nothing done' | 'unknown'> => {
        memory.forget();
        log.debug({ error }, 'a batch that was decided ahead runs again');
        const isUnknown = error instanceof StoreError && error.kind === 'unknown_outcome';
        return isUnknown ? findOut(sent) : 'nothing done';
      },
    );
    await before;
    if (result === 'unknown') settings.unknown(sent.items);
    else if (result !== 'nothing done') settings.finish(sent.items, result);
    else {
      failed.push({ items: sent.items, targets: sent.targets });
      settings.failed(sent.done);
    }
  }

  /** What became of a batch whose COMMIT was not answered: made certain, never guessed. */
  async function findOut(sent: Sent): Promise<BatchResult | 'nothing done' | 'unknown'> {
    for (let tries = 0; tries < triesMax; tries++) {
      try {
        return (await isStored(sent, await store.fence(runtime.newId('mark'))))
          ? placed(sent.done, await placeOf(sent))
          : 'nothing done';
      } catch {
        await runtime.sleep(pauseMs);
      }
    }
    return 'unknown';
  }

  /** Whether the events of a batch stand where they were meant to, now that they can come no more. */
  async function isStored({ done, premises }: Sent, feed: FeedState): Promise<boolean> {
    const { nextPos } = premises.feed;
    if (feed.nextPos < nextPos + done.events.length) return false;
    const stored = await store.readEvents(nextPos, done.events.length);
    return done.events.every((event, at) => isSame(event, stored[at]));
  }

  async function placeOf({ premises }: Sent): Promise<{ pos: number; atMs: number }> {
    const pos = premises.feed.nextPos;
    const [first] = await store.readEvents(pos, 1);
    if (first === undefined) throw new NotRemembered();
    return { pos, atMs: first.atMs };
  }

  async function decide({ items, targets }: Taken): Promise<[DecidedBatch, Premises] | undefined> {
    const reads = new RememberedReads(memory);
    try {
      const decided = await decideBatch(ports, reads, items, targets, []);
      return [decided, reads.premises()];
    } catch (error) {
      const isExpected = error instanceof NotRemembered || error instanceof MoreLocks;
      if (!isExpected) log.debug({ error }, 'a batch could not be decided ahead');
      return undefined;
    }
  }

  return {
    async send(taken) {
      if (memory.feed === undefined || failed.length > 0 || !ports.clock.isFresh()) return false;
      const found = await decide(taken);
      if (found === undefined) return false;
      const [decided, premises] = found;
      const { done, changedRuns, idempotent } = decided;
      const { events, writes: rows } = done;
      // It may have been answered before: only an answer that is stored is checked against that.
      const isAsked = taken.items.some(
        (item, at) => item.idempotency !== undefined && done.outcomes[at]?.kind === 'refused',
      );
      if (isAsked) return false;
      if (events.length === 0) {
        // An answer that leaves no trace would never be checked.
        if (taken.items.length + rows.length > 0) return false;
        settings.finish([], { ...done, firstPos: 0 });
        return true;
      }
      const { nowMs } = decided.batch.context;
      const mark = runtime.newId('mark');
      const writes = { rows, idempotent, events, nowMs, changedRuns, mark };
      const writing = store.write(premises, writes);
      const { nextPos, incarnation } = premises.feed;
      memory.learn(decided, { nextPos: nextPos + events.length, incarnation, mark });
      settings.decided(done);
      refill();
      const settled = settle({ ...taken, done, premises }, writing).finally(() => {
        // Its own promise must not be what it waits for.
        void underWay.shift();
      });
      underWay.push(settled);
      return true;
    },
    async room() {
      while (underWay.length >= underWayMax) await underWay[0];
    },
    async idle() {
      while (underWay.length > 0) await underWay[0];
    },
    get hasFailed() {
      return failed.length > 0;
    },
    takeFailed() {
      const taken = failed;
      failed = [];
      return taken;
    },
  };
}

/** Whether an event is the stored one: another replica may have told a similar one at its position. */
function isSame(told: NewEvent, stored: NewEvent | undefined): boolean {
  return (
    stored !== undefined &&
    told.type === stored.type &&
    told.projectId === stored.projectId &&
    told.runId === stored.runId &&
    told.runSeq === stored.runSeq &&
    told.taskId === stored.taskId &&
    told.attemptId === stored.attemptId &&
    told.cause === stored.cause &&
    // The feed's time never goes back: it may be later than what was told, and not earlier.
    told.atMs <= stored.atMs &&
    isSameDocument(told.actor, stored.actor) &&
    isSameDocument(told.data, stored.data)
  );
}

/** As they are stored, whatever the order of their fields. */
function isSameDocument(told: object, stored: object): boolean {
  const [one, other] = [told, stored].map((it): unknown => JSON.parse(JSON.stringify(it)));
  return isDeepStrictEqual(one, other);
}
