import type { BatchWrites, FeedState, Placed, Premises } from '@baton/coordinator';
import type { NewEvent, RunRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import { describe, expect, test } from 'vitest';
import { AheadChecks } from '../checks/ahead-checks.ts';
import { EventLoop } from '../event-loop.ts';
import { FaultList } from '../faults-found.ts';
import { createRng } from '../rng.ts';
import { Sometimes } from '../sometimes.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import type { CommitFate, Wire } from './memory-tx.ts';
import { SimDatabase } from './sim-database.ts';

/** A write or a read, as whoever asked for it was told in the end. */
type Told<T> = { told: T | string | undefined };

class Bench {
  readonly loop = new EventLoop(0, createRng('ties'));
  readonly faults = new FaultList(() => this.loop.nowMs);
  readonly sometimes = new Sometimes();
  readonly #checks = new AheadChecks(this.faults);
  readonly db = new SimDatabase(this.loop, {
    before: (commit, world) => this.#checks.before(commit, world),
    after: (commit) => this.#checks.after(commit),
  });
  #marks = 0;

  /** `fates`: of each COMMIT that arrives. `reached`: whether what was sent behind a lost answer arrives. */
  replica(name: string, fates: CommitFate[] = [], reached: boolean[] = []): MemoryStore {
    const { loop } = this;
    const rng = createRng(name);
    const answers: (() => void)[] = [];
    let sentMs = 0;
    let answeredMs = 0;
    const wire: Wire = {
      replica: name,
      call: (work) =>
        new Promise((resolve, reject) => {
          loop.after(1, () => {
            Promise.resolve()
              .then(work)
              .then(
                (value) => loop.after(1, () => resolve(value)),
                (error: unknown) => loop.after(1, () => reject(error)),
              );
          });
        }),
      send: (arrive) => {
        sentMs = Math.max(sentMs + 0.01, loop.nowMs + rng.between(0, 50));
        loop.after(sentMs - loop.nowMs, arrive);
      },
      answer: (settle) => {
        answers.push(settle);
        answeredMs = Math.max(answeredMs + 0.01, loop.nowMs + rng.between(0, 50));
        loop.after(answeredMs - loop.nowMs, () => answers.shift()?.());
      },
      fate: () => fates.shift() ?? 'applied',
      lateMs: () => 1_000,
      arrivesToo: () => reached.shift() ?? true,
      isAway: () => loop.nowMs < this.db.awayUntilMs,
      saw: (situation) => this.sometimes.saw(situation),
    };
    return createMemoryStore(this.db, wire, loop);
  }

  /** What a batch writes: so many events, and whatever rows. */
  writes(events: number, more: Partial<BatchWrites> = {}): BatchWrites {
    const all = Array.from({ length: events }, () => EVENT);
    const mark = `m${++this.#marks}`;
    return {
      rows: [],
      idempotent: [],
      events: all,
      nowMs: 0,
      changedRuns: new Set(),
      mark,
      ...more,
    };
  }

  /** The end of the feed as it will be behind a batch that begins at another one. */
  behind({ nextPos, incarnation }: FeedState, { events, mark }: BatchWrites): FeedState {
    return { nextPos: nextPos + events.length, incarnation, mark };
  }

  told<T>(asked: Promise<T>): Told<T> {
    const told: Told<T> = { told: undefined };
    asked.then(
      (value) => {
        told.told = value;
      },
      (error: unknown) => {
        told.told = (error as { kind: string }).kind;
      },
    );
    return told;
  }

  /** Lets time pass, until nothing happens any more. */
  async rest(ms = 60_000): Promise<void> {
    // What was just asked for is under way only after this.
    await new Promise((resolve) => setImmediate(resolve));
    await this.loop.run(this.loop.nowMs + ms);
  }

  async commit(store: MemoryStore, writes: BatchWrites): Promise<void> {
    const told = this.told(store.transaction((tx) => tx.commit(writes)));
    await this.rest();
    if (typeof told.told === 'string') throw new Error(told.told);
  }
}

const EVENT: NewEvent = {
  projectId: 'prj_1',
  runId: null,
  runSeq: null,
  taskId: null,
  attemptId: null,
  type: 'run.created',
  actor: { kind: 'kernel', id: null, name: null },
  cause: null,
  atMs: 0,
  data: {},
};
const NEW_RUN: RowChange = {
  table: 'runs',
  id: 'run_1',
  original: null,
  row: { id: 'run_1', projectId: 'prj_1' } as RunRow,
};

function premises(feed: FeedState, more: Partial<Premises> = {}): Premises {
  return { feed, runs: new Map(), workers: new Map(), limitsOf: [], ...more };
}

/** Begins with one run, at version 0. */
async function withRun(): Promise<{ bench: Bench; other: MemoryStore; feed: FeedState }> {
  const bench = new Bench();
  const other = bench.replica('other');
  await bench.commit(other, bench.writes(1, { rows: [NEW_RUN] }));
  return { bench, other, feed: bench.db.feedState() };
}

const checksOf = ({ faults }: Bench): string[] => faults.all.map(({ check }) => check);
const posOf = ({ told }: Told<Placed>): unknown =>
  typeof told === 'object' ? told.pos : (told ?? 'nothing');

describe('a batch that was decided ahead, at the database in memory', () => {
  test('is written behind those that are not answered yet', async () => {
    const { bench, feed } = await withRun();
    const store = bench.replica('r0');
    const [first, second, third] = [bench.writes(2), bench.writes(1), bench.writes(3)] as const;
    const after = bench.behind(feed, first);
    const told = [
      bench.told(store.write(premises(feed), first)),
      bench.told(store.write(premises(after), second)),
      bench.told(store.write(premises(bench.behind(after, second)), third)),
    ];
    await bench.rest();
    expect(told.map(posOf)).toEqual([2, 4, 5]);
    expect(bench.db.feedState()).toEqual({ nextPos: 8, incarnation: 1, mark: third.mark });
    expect(checksOf(bench)).toEqual([]);
    expect(bench.sometimes.counts.get('two batches were under way at once')).toBe(2);
  });

  test('waits for a run that somebody else holds, and is refused when that was changed', async () => {
    for (const isChecked of [true, false]) {
      const { bench, other, feed } = await withRun();
      bench.db.checked.runs = isChecked;
      let commit = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        commit = resolve;
      });
      // Changes the run and tells nothing.
      const change = bench.writes(0, { changedRuns: new Set(['run_1']) });
      const changed = bench.told(
        other.transaction(async (tx) => {
          await tx.lockRuns(['run_1']);
          await held;
          return tx.commit(change);
        }),
      );
      await bench.rest(100);
      const store = bench.replica('r0');
      const known = premises(feed, { runs: new Map([['run_1', 0]]) });
      const told = bench.told(store.write(known, bench.writes(1)));
      await bench.rest(100);
      expect(posOf(told)).toBe('nothing');
      commit();
      await bench.rest();
      expect(typeof changed.told).toBe('undefined');
      expect(posOf(told)).toBe(isChecked ? 'retryable' : 2);
      expect(checksOf(bench)).toEqual(isChecked ? [] : ['premises-hold']);
    }
  });

  test('is refused when somebody else told something, even as much as was expected', async () => {
    for (const isChecked of [true, false]) {
      const { bench, other, feed } = await withRun();
      bench.db.checked.place = isChecked;
      const store = bench.replica('r0');
      const first = bench.writes(2);
      await bench.commit(other, bench.writes(2));
      const told = [
        bench.told(store.write(premises(feed), first)),
        bench.told(store.write(premises(bench.behind(feed, first)), bench.writes(1))),
      ];
      await bench.rest();
      expect(told.map(posOf)).toEqual(isChecked ? ['retryable', 'retryable'] : [4, 6]);
      expect(checksOf(bench).length > 0).toBe(!isChecked);
    }
  });

  test('is refused when one before it did not arrive', async () => {
    const { bench, feed } = await withRun();
    const store = bench.replica('r0', ['aborted']);
    const first = bench.writes(1);
    const told = [
      bench.told(store.write(premises(feed), first)),
      bench.told(store.write(premises(bench.behind(feed, first)), bench.writes(1))),
    ];
    await bench.rest();
    expect(told.map(posOf)).toEqual(['retryable', 'retryable']);
    expect(bench.db.feedState()).toEqual(feed);
  });

  test('is unknown when an answer is lost, as all that were sent behind it', async () => {
    const { bench, feed } = await withRun();
    const store = bench.replica('r0', ['applied', 'unknown_applied'], [true, false, true]);
    const told: Told<Placed>[] = [];
    let end = feed;
    for (let count = 0; count < 5; count++) {
      const writes = bench.writes(1);
      told.push(bench.told(store.write(premises(end), writes)));
      end = bench.behind(end, writes);
    }
    await bench.rest();
    const unknown = 'unknown_outcome';
    expect(told.map(posOf)).toEqual([2, unknown, unknown, unknown, unknown]);
    const fenced = bench.told(store.fence('fence'));
    const read = bench.told(store.readEvents(3, 10));
    await bench.rest();
    expect(fenced.told).toEqual({ nextPos: 5, incarnation: 1, mark: 'fence' });
    expect(read.told).toEqual([EVENT, EVENT]);
    expect(bench.sometimes.counts.get('an unknown write was found done')).toBe(2);
    expect(bench.sometimes.counts.get('an unknown write was found undone')).toBe(2);
    // Another connection has taken its place.
    const again = bench.told(store.write(premises(bench.db.feedState()), bench.writes(1)));
    await bench.rest();
    expect(posOf(again)).toBe(5);
    expect(checksOf(bench)).toEqual([]);
  });

  test('comes too late behind a fence', async () => {
    for (const fencesOff of [true, false]) {
      const { bench, feed } = await withRun();
      bench.db.fencesOff = fencesOff;
      const store = bench.replica('r0', ['unknown_late']);
      const told = bench.told(store.write(premises(feed), bench.writes(1)));
      await bench.rest(200);
      expect(posOf(told)).toBe('unknown_outcome');
      const fenced = bench.told(store.fence('fence'));
      const read = bench.told(store.readEvents(2, 1));
      await bench.rest(200);
      expect(fenced.told).toMatchObject({ nextPos: 2 });
      expect(read.told).toEqual([]);
      await bench.rest();
      expect(bench.db.feed.length).toBe(fencesOff ? 1 : 2);
      expect(bench.sometimes.counts.has('a late write was fenced off')).toBe(fencesOff);
      expect(checksOf(bench)).toEqual(fencesOff ? [] : ['fenced-off']);
    }
  });

  test('is refused when its key has its first answer already', async () => {
    const { bench, other, feed } = await withRun();
    const answer = { scope: 'ada', key: 'k1', requestSha256: 'x', reply: {} };
    await bench.commit(other, bench.writes(0, { idempotent: [answer] }));
    const store = bench.replica('r0');
    const told = bench.told(store.write(premises(feed), bench.writes(1, { idempotent: [answer] })));
    await bench.rest();
    expect(posOf(told)).toBe('retryable');
  });

  test('is told that the database is away', async () => {
    const { bench, feed } = await withRun();
    bench.db.awayUntilMs = bench.loop.nowMs + 1_000;
    const told = bench.told(bench.replica('r0').write(premises(feed), bench.writes(1)));
    await bench.rest();
    expect(posOf(told)).toBe('unavailable');
  });
});
