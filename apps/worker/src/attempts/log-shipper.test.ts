import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLink, type Link } from '../link/link.ts';
import { FakeControlPlane } from '../testing/fake-control-plane.ts';
import { shipLog, type LogShipper } from './log-shipper.ts';
import type { LogSource } from './log-source.ts';

let plane: FakeControlPlane;
let link: Link;
let shipper: LogShipper | undefined;
beforeEach(async () => {
  plane = await FakeControlPlane.start();
  plane.keys.add('batw_good');
  link = openLink({
    url: plane.url,
    key: () => 'batw_good',
    log: pino({ level: 'silent' }),
    hello: () => ({
      version: '1',
      slots: 1,
      labels: {},
      capabilities: { engines: [], repos: [], languages: [], tools: [], environments: [] },
      draining: false,
      attempts: [],
    }),
    beat: () => [],
    onFrame(frame) {
      if (frame.type === 'log_ack') shipper?.acknowledged(frame);
      if (frame.type === 'welcome') shipper?.reconnected();
    },
    onRefused: () => Promise.resolve(false),
  });
  await link.start();
});
afterEach(async () => {
  shipper?.stop();
  link.stop();
  await plane.stop();
});

function sourceOf(bytes: Buffer, state: { length: number; isComplete: boolean }): LogSource {
  return {
    read: (offset, max) =>
      Promise.resolve({
        data: bytes.subarray(offset, Math.min(offset + max, state.length)),
        isComplete: state.isComplete && offset + max >= state.length,
      }),
    close: () => Promise.resolve(),
  };
}

/** A number generator that gives the same sequence each time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('a log', () => {
  test('of 20 MB is stored byte for byte, once, however often the link is cut', async () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    const random = sequence(42);
    let cuts = 0;
    // Each piece may be the last of its connection; with what is on its way behind it.
    plane.mayStore = () => {
      if (cuts >= 6 || random() > 0.03) return true;
      cuts += 1;
      return false;
    };
    const { attempt } = plane.assign({ spec: 'x' });
    const about = { attempt: attempt.id, epoch: 7, stream: 'stdout' } as const;
    shipper = shipLog(link, about, sourceOf(bytes, { length: bytes.length, isComplete: true }));
    await shipper.done;
    expect(plane.log(attempt.id, 'stdout').equals(bytes)).toBe(true);
    expect(cuts).toBe(6);
    expect(plane.connections).toBe(7);
    // What a cut catches on its way is sent again, and nothing else is.
    expect(plane.logBytesReceived).toBeLessThan(bytes.length + 7 * 600 * 1024);
  });

  test('goes on from what is stored, as a daemon started anew does', async () => {
    const bytes = Buffer.from('0123456789');
    const { attempt } = plane.assign({ spec: 'x' });
    const about = { attempt: attempt.id, epoch: 7, stream: 'stdout' } as const;
    const half = sourceOf(bytes, { length: 5, isComplete: true });
    shipper = shipLog(link, about, half);
    await shipper.done;
    const before = plane.logBytesReceived;
    shipper = shipLog(link, about, sourceOf(bytes, { length: 10, isComplete: true }));
    await shipper.done;
    expect(plane.log(attempt.id, 'stdout').toString()).toBe('0123456789');
    expect(plane.logBytesReceived - before).toBe(5);
  });

  test('that grows is shipped as it is woken', async () => {
    const bytes = Buffer.from('abcdef');
    const state = { length: 3, isComplete: false };
    const { attempt } = plane.assign({ spec: 'x' });
    shipper = shipLog(
      link,
      { attempt: attempt.id, epoch: 7, stream: 'agent' },
      sourceOf(bytes, state),
    );
    await plane.until(() => plane.log(attempt.id, 'agent').toString() === 'abc', 'the first half');
    state.length = 6;
    state.isComplete = true;
    shipper.wake();
    await shipper.done;
    expect(plane.log(attempt.id, 'agent').toString()).toBe('abcdef');
  });

  test('a piece that was not stored is sent again from there, not counted as stored', async () => {
    const bytes = randomBytes(300 * 1024);
    const { attempt } = plane.assign({ spec: 'x' });
    let failures = 0;
    const failing: Pick<Link, 'sendLog'> = {
      sendLog(frame) {
        // The second piece is answered with a failure, as by a database that is away.
        if (frame.offset > 0 && failures === 0) {
          failures += 1;
          const error = { code: 'store_unavailable', detail: 'x', retry: true, facts: {} };
          const { stream, offset } = frame;
          queueMicrotask(() => {
            shipper?.acknowledged({
              type: 'log_ack',
              attempt: attempt.id,
              stream,
              next_offset: offset,
              error,
            });
          });
          return true;
        }
        return link.sendLog(frame);
      },
    };
    const about = { attempt: attempt.id, epoch: 7, stream: 'stdout' } as const;
    const source = sourceOf(bytes, { length: bytes.length, isComplete: true });
    shipper = shipLog({ ...link, ...failing }, about, source);
    await shipper.done;
    expect(plane.log(attempt.id, 'stdout').equals(bytes)).toBe(true);
  });

  test('is given up when the control plane takes no more of the attempt', async () => {
    const { attempt } = plane.assign({ spec: 'x' });
    plane.fence(attempt.id);
    const about = { attempt: attempt.id, epoch: 7, stream: 'stdout' } as const;
    shipper = shipLog(link, about, sourceOf(Buffer.from('abc'), { length: 3, isComplete: false }));
    await shipper.done;
    expect(plane.log(attempt.id, 'stdout')).toHaveLength(0);
  });
});
