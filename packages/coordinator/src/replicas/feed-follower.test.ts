import type { EventRead } from '@baton/store';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { CommittedEvent } from '../coordinator.ts';
import { createFeedFollower } from './feed-follower.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function eventAt(pos: number): EventRead {
  return {
    pos,
    event: {
      projectId: 'prj_1',
      runId: null,
      runSeq: null,
      taskId: null,
      attemptId: null,
      type: 'worker.online',
      actor: { kind: 'kernel', id: null, name: null },
      cause: null,
      atMs: pos,
      data: { name: `w${pos}` },
    },
  };
}

function own(...positions: readonly number[]): CommittedEvent[] {
  return positions.map((pos) => ({
    ...eventAt(pos).event,
    pos,
    cursor: `1.${pos}`,
    isOwn: true,
  }));
}

/** A feed that is there up to `end`, and what was told of it. */
function setUp() {
  const feed = { end: 0, reads: 0, gone: new Set<number>(), faults: 0, pause: Promise.resolve() };
  const told: { pos: number; isOwn: boolean }[] = [];
  const follower = createFeedFollower({
    async readFeed(pos, before, limit) {
      feed.reads += 1;
      const last = Math.min(feed.end, (before ?? Infinity) - 1);
      await feed.pause;
      if (feed.faults > 0) {
        feed.faults -= 1;
        throw new Error('the database is away');
      }
      const all = Array.from({ length: Math.max(0, last - pos) }, (_, index) => pos + 1 + index);
      return all
        .filter((it) => !feed.gone.has(it))
        .slice(0, limit)
        .map(eventAt);
    },
    runtime: { sleep: () => Promise.resolve() },
    log: quiet,
    incarnation: () => 1,
    tell: (events) => told.push(...events.map(({ pos, isOwn }) => ({ pos, isOwn }))),
  });
  return { feed, told, follower, positions: () => told.map(({ pos }) => pos) };
}

const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index + 1);

test('alone on a database nothing is read: own events are told as they are committed', () => {
  const { feed, told, follower } = setUp();
  follower.committed(own(1, 2));
  follower.committed(own(3));
  expect(told).toEqual(upTo(3).map((pos) => ({ pos, isOwn: true })));
  expect(feed.reads).toBe(0);
});

test('what others committed before is told before', async () => {
  const { feed, told, follower } = setUp();
  feed.end = 5;
  follower.committed(own(3, 4));
  expect(told).toEqual([]);
  await follower.reaches(5);
  await vi.waitFor(() =>
    expect(told).toEqual([
      { pos: 1, isOwn: false },
      { pos: 2, isOwn: false },
      { pos: 3, isOwn: true },
      { pos: 4, isOwn: true },
      { pos: 5, isOwn: false },
    ]),
  );
});

test('who waits for a place is called when all up to there was told, in whatever way', async () => {
  const { feed, follower, positions } = setUp();
  const called: string[] = [];
  const note = (name: string) => () => called.push(`${name} ${positions().length}`);
  follower.committed(own(1));
  follower.whenTold(1, note('told'));
  expect(called).toEqual(['told 1']);
  feed.end = 4;
  follower.committed(own(4));
  follower.whenTold(4, note('behind others'));
  feed.gone.add(6);
  feed.end = 7;
  follower.committed(own(7));
  follower.whenTold(7, note('behind a hole'));
  expect(called).toHaveLength(1);
  await follower.reaches(7);
  expect(called).toEqual(['told 1', 'behind others 4', 'behind a hole 6']);
});

test('many slices are read to the end', async () => {
  const { feed, follower, positions } = setUp();
  feed.end = 1_203;
  await follower.reaches(1_203);
  expect(positions()).toEqual(upTo(1_203));
});

test('an own commit whose answer was late, and that was read meanwhile, is not told twice', async () => {
  const { feed, follower, positions } = setUp();
  feed.end = 4;
  await follower.reaches(4);
  follower.committed(own(2, 3));
  feed.end = 5;
  follower.committed(own(5));
  expect(positions()).toEqual(upTo(5));
});

test('a read that fails is made again, and own events wait for it', async () => {
  const { feed, follower, positions } = setUp();
  feed.end = 3;
  feed.faults = 3;
  follower.committed(own(3));
  await follower.reaches(3);
  expect(positions()).toEqual(upTo(3));
});

test('a part of the history that was dropped leaves a hole and holds nothing up', async () => {
  const { feed, follower, positions } = setUp();
  feed.end = 6;
  for (const pos of [1, 2, 3]) feed.gone.add(pos);
  follower.committed(own(5));
  await follower.reaches(6);
  expect(positions()).toEqual([4, 5, 6]);
});

test('a hint of a place that is not there does not hide what comes later', async () => {
  const { follower, positions } = setUp();
  await follower.reaches(1_000);
  follower.committed(own(1));
  expect(positions()).toEqual([1]);
});

test('own events that wait for too long are let go of and read', async () => {
  const { feed, told, follower, positions } = setUp();
  let goOn = (): void => undefined;
  feed.pause = new Promise((resolve) => (goOn = resolve));
  feed.end = 25_001;
  for (let pos = 2; pos <= 25_001; pos += 500) {
    follower.committed(own(...Array.from({ length: 500 }, (_, index) => pos + index)));
  }
  goOn();
  await follower.reaches(25_001);
  expect(positions()).toEqual(upTo(25_001));
  expect(told.filter(({ isOwn }) => !isOwn).length).toBeGreaterThan(1);
});

test('after the database was put back it goes on from there', async () => {
  const { feed, follower, positions } = setUp();
  feed.end = 9;
  await follower.reaches(9);
  follower.begin(4);
  follower.committed(own(5, 6));
  expect(positions().slice(9)).toEqual([5, 6]);
});

test('whoever commits, whenever hints come and reads fail: each event once, in order', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('own' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('other' as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ kind: fc.constant('hint' as const), count: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ kind: fc.constant('fault' as const), count: fc.constant(1) }),
    fc.record({ kind: fc.constant('turn' as const), count: fc.integer({ min: 1, max: 5 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { feed, told, follower, positions } = setUp();
      const mine = new Set<number>();
      for (const { kind, count } of steps) {
        if (kind === 'own') {
          const batch = Array.from({ length: count }, (_, index) => feed.end + 1 + index);
          feed.end += count;
          for (const pos of batch) mine.add(pos);
          follower.committed(own(...batch));
        } else if (kind === 'other') feed.end += count;
        else if (kind === 'hint') void follower.reaches(Math.max(0, feed.end + count));
        else if (kind === 'fault') feed.faults += 1;
        else for (let turn = 0; turn < count; turn++) await Promise.resolve();
      }
      await follower.reaches(feed.end);
      await follower.reaches(feed.end);
      expect(positions()).toEqual(upTo(feed.end));
      for (const { pos, isOwn } of told) if (isOwn) expect(mine.has(pos)).toBe(true);
    }),
  );
});
