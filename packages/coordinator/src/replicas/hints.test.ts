import type { HintLine, HintListener } from '@baton/store';
import { afterEach, expect, test } from 'vitest';
import { decodeHint, encodeHint, namesMax, type Hint } from './hint-text.ts';
import { createHints, type Hints } from './hints.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** `instance` of whoever said by its log that another one has another. */
const estranged: string[] = [];

/** A clock whose timers fire when the test says so. */
function createTime() {
  let nowMs = 0;
  const timers = new Map<number, { readonly dueMs: number; readonly call: () => void }>();
  let number = 0;
  return {
    runtime: {
      monotonicMs: () => nowMs,
      after(delayMs: number, call: () => void) {
        const id = ++number;
        timers.set(id, { dueMs: nowMs + delayMs, call });
        return () => void timers.delete(id);
      },
      newId: (prefix: string) => `${prefix}_${++number}`,
    },
    /** Lets time pass, timer by timer. */
    async pass(ms: number) {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const due = [...timers].filter(([, it]) => it.dueMs <= endMs);
        const next = due.toSorted(([, a], [, b]) => a.dueMs - b.dueMs)[0];
        if (next === undefined) break;
        const [id, { dueMs, call }] = next;
        timers.delete(id);
        nowMs = Math.max(nowMs, dueMs);
        call();
      }
      nowMs = endMs;
    },
  };
}

/** All promises that can go on without time have gone on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What the database does with hints: everybody who listens gets them. */
function createChannel() {
  const open = new Map<HintLine, HintListener>();
  const sent: Hint[] = [];
  const channel = {
    sent,
    isReachable: true,
    isMute: false,
    openHints(listener: HintListener): Promise<HintLine> {
      if (!channel.isReachable) return Promise.reject(new Error('the database is away'));
      const line: HintLine = {
        send(text) {
          if (!open.has(line)) return Promise.reject(new Error('the connection was lost'));
          sent.push(decodeHint(text) ?? { from: 'nobody', pos: -1 });
          if (!channel.isMute) for (const { onHint } of open.values()) onHint(text);
          return Promise.resolve();
        },
        close: () => void open.delete(line),
      };
      open.set(line, listener);
      return Promise.resolve(line);
    },
    /** Ends every connection. */
    lose() {
      const lost = [...open.values()];
      open.clear();
      for (const { onLost } of lost) onLost();
    },
    get lines() {
      return open.size;
    },
  };
  return channel;
}

let all: Hints[] = [];
afterEach(async () => {
  for (const it of all.splice(0)) await it.stop();
  all = [];
});

function setUp(count: number) {
  const time = createTime();
  const channel = createChannel();
  const make = (instance: string) => {
    const heard: Hint[] = [];
    const { runtime } = time;
    const log = { ...quiet, error: () => estranged.push(instance) };
    const hints = createHints({
      openHints: (listener) => channel.openHints(listener),
      runtime,
      log,
      instance,
    });
    hints.heard((hint) => heard.push(hint));
    all.push(hints);
    return { hints, heard };
  };
  const replicas = Array.from({ length: count }, () => make('same'));
  return { time, channel, replicas, make };
}

const signal = new AbortController().signal;

test('a replica alone says only that it is there, however much it commits', async () => {
  const { time, channel, replicas } = setUp(1);
  const [one] = replicas;
  await one?.hints.start(signal);
  await time.pass(1);
  expect(one?.hints).toMatchObject({ isHealthy: true, hasPeers: false });
  for (let pos = 1; pos <= 1_000; pos++) {
    one?.hints.reached(pos);
    one?.hints.wrote(`att_${pos}`);
    await time.pass(1);
  }
  expect(channel.sent).toHaveLength(1);
  await time.pass(60_000);
  expect(channel.sent).toHaveLength(13);
});

test('two that meet know of each other at once, and tell how far the feed goes', async () => {
  const { time, replicas } = setUp(2);
  const [one, two] = replicas;
  one?.hints.reached(7);
  await one?.hints.start(signal);
  await time.pass(3_000);
  await two?.hints.start(signal);
  await time.pass(20);
  expect(one?.hints.hasPeers).toBe(true);
  expect(two?.hints.hasPeers).toBe(true);
  expect(one?.heard[0]).toMatchObject({ hello: true, pos: 0 });
  expect(two?.heard.at(-1)).toMatchObject({ pos: 7 });
});

test('what comes in quick succession goes in one hint, at most one in 10 ms', async () => {
  const { time, channel, replicas } = setUp(2);
  const [one, two] = replicas;
  for (const { hints } of replicas) await hints.start(signal);
  await time.pass(1_000);
  const before = channel.sent.length;
  for (let pos = 1; pos <= 200; pos++) {
    one?.hints.reached(pos);
    await time.pass(0.5);
  }
  await time.pass(10);
  expect(channel.sent.length - before).toBeLessThanOrEqual(11);
  expect(two?.heard.at(-1)?.pos).toBe(200);
});

test('the first hint after a pause waits for nothing', async () => {
  const { time, replicas } = setUp(2);
  const [one, two] = replicas;
  for (const { hints } of replicas) await hints.start(signal);
  await time.pass(1_000);
  one?.hints.reached(5);
  await time.pass(0);
  expect(two?.heard.at(-1)?.pos).toBe(5);
});

test('output of many attempts and many credentials arrives whole, in hints that fit', async () => {
  const { time, replicas, channel } = setUp(2);
  const [one, two] = replicas;
  for (const { hints } of replicas) await hints.start(signal);
  await time.pass(1_000);
  const attempts = Array.from({ length: 250 }, (_, n) => `att_${'x'.repeat(24)}${1_000 + n}`);
  for (const it of attempts) one?.hints.wrote(it);
  const keys = Array.from({ length: 120 }, (_, n) => `key_${'x'.repeat(24)}${1_000 + n}`);
  for (const it of keys) one?.hints.revoked(it);
  await time.pass(1_000);
  expect(two?.heard.flatMap(({ logs }) => logs ?? [])).toEqual(attempts);
  expect(two?.heard.flatMap(({ revoked }) => revoked ?? [])).toEqual(keys);
  for (const it of channel.sent) expect(encodeHint(it).length).toBeLessThan(7_000);
  expect(Math.max(...channel.sent.map(({ logs = [] }) => logs.length))).toBe(namesMax);
});

test('a line that is lost is opened again, and whoever comes back asks and is asked', async () => {
  const { time, channel, replicas } = setUp(2);
  const [one, two] = replicas;
  for (const { hints } of replicas) await hints.start(signal);
  await time.pass(1_000);
  const turns: boolean[] = [];
  one?.hints.turned((isHealthy) => turns.push(isHealthy));
  channel.isReachable = false;
  channel.lose();
  expect(one?.hints.isHealthy).toBe(false);
  one?.hints.reached(9);
  await time.pass(2_000);
  expect(channel.lines).toBe(0);
  channel.isReachable = true;
  await time.pass(5_000);
  expect(turns).toEqual([false, true]);
  expect(two?.heard.findLast(({ hello }) => hello)).toMatchObject({ pos: 9 });
});

test('a line that looks open and carries nothing is cut and opened again', async () => {
  const { time, channel, replicas } = setUp(1);
  const [one] = replicas;
  await one?.hints.start(signal);
  await time.pass(1_000);
  expect(one?.hints.isHealthy).toBe(true);
  channel.isMute = true;
  await time.pass(10_500);
  expect(one?.hints.isHealthy).toBe(false);
  channel.isMute = false;
  await time.pass(5_500);
  expect(one?.hints.isHealthy).toBe(true);
  expect(channel.lines).toBe(1);
});

test('one that has died is forgotten, and commits cost nothing again', async () => {
  const { time, channel, replicas } = setUp(2);
  const [one, two] = replicas;
  for (const { hints } of replicas) await hints.start(signal);
  await time.pass(1_000);
  await two?.hints.stop();
  await time.pass(30_000);
  expect(one?.hints.hasPeers).toBe(false);
  const before = channel.sent.length;
  one?.hints.reached(77);
  await time.pass(100);
  expect(channel.sent).toHaveLength(before);
});

test('those whose secrets differ say so, once for each that they meet', async () => {
  const { time, make, replicas } = setUp(1);
  const other = make('other');
  for (const { hints } of [...replicas, other]) await hints.start(signal);
  await time.pass(60_000);
  expect(estranged.toSorted()).toEqual(['other', 'same']);
});

test('where there can be no others, nothing is opened', async () => {
  const time = createTime();
  const hints = createHints({ openHints: undefined, runtime: time.runtime, log: quiet });
  await hints.start(signal);
  hints.reached(3);
  await time.pass(60_000);
  expect(hints).toMatchObject({ isHealthy: false, hasPeers: false });
  await hints.stop();
});

test.each(['', 'x', '{}', '{"from":1,"pos":1}', '{"from":"a","pos":-1}', '[]'])(
  'a hint that is none is not heeded: %s',
  (text) => {
    expect(decodeHint(text)).toBeUndefined();
  },
);
