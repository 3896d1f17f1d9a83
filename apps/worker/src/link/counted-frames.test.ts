import type { ServerFrame } from '@baton/contract';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCountedFrames, LinkClosed, type CountedFrame } from './counted-frames.ts';

type Ack = Extract<ServerFrame, { type: 'ack' }>;

const note = (attempt: string, text: string): CountedFrame => ({
  type: 'note',
  attempt,
  body: { epoch: 1, text },
});
const ack = (seq: number, error: Ack['error'] = null): Ack => ({
  type: 'ack',
  seq,
  error,
  body: null,
});
const again = (code: string): Ack['error'] => ({ code, detail: 'later', retry: true, facts: {} });

function open(): { frames: ReturnType<typeof createCountedFrames>; sent: () => string[] } {
  const texts: string[] = [];
  const frames = createCountedFrames((text) => texts.push(text));
  const sent = (): string[] =>
    texts.splice(0).map((text) => (JSON.parse(text) as { body: { text: string } }).body.text);
  return { frames, sent };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('counted frames', () => {
  test('are sent again in order until they are acknowledged', async () => {
    const { frames, sent } = open();
    const first = frames.add(note('a', '1'));
    void frames.add(note('a', '2'));
    expect(sent()).toEqual(['1', '2']);
    frames.acknowledge(ack(1));
    expect(await first).toEqual({ error: null, body: null });
    void frames.add(note('a', '3'));
    sent();
    frames.sendAll();
    expect(sent()).toEqual(['2', '3']);
  });

  test('one that is to be sent again holds back those behind it of the same attempt, and no others', async () => {
    const { frames, sent } = open();
    void frames.add(note('a', '1'));
    frames.acknowledge(ack(1, again('store_unavailable')));
    void frames.add(note('a', '2'));
    void frames.add(note('b', '3'));
    expect(sent()).toEqual(['1', '3']);
    await vi.advanceTimersByTimeAsync(1_300);
    expect(sent()).toEqual(['1', '2']);
  });

  test('a fault of the control plane that stays becomes the answer', async () => {
    const { frames } = open();
    const asked = frames.add(note('a', '1'));
    for (let tries = 0; tries < 8; tries += 1) {
      frames.acknowledge(ack(1, again('internal')));
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect((await asked).error?.code).toBe('internal');
  });

  test('what the control plane would cut the link for is refused here', async () => {
    const { frames, sent } = open();
    const big = frames.add({
      type: 'output',
      attempt: 'a',
      body: { epoch: 1, key: 'out', data: 'x'.repeat(300_000) },
    });
    expect((await big).error).toMatchObject({ code: 'limit_exceeded', retry: false });
    const bad = frames.add(note('a', ''));
    expect((await bad).error).toMatchObject({
      code: 'bad_request',
      detail: expect.stringMatching('text'),
    });
    expect(sent()).toEqual([]);
  });

  test('text that cannot be stored is sent without what cannot', async () => {
    const sent: string[] = [];
    const frames = createCountedFrames((text) => sent.push(text));
    const half = '\ud83d';
    void frames.add({
      type: 'output',
      attempt: 'att_1',
      body: {
        epoch: 1,
        key: 'o',
        data: JSON.parse(`{"a\\u0000":["x${half}\\u0000","\\\\u0000 😀"],"__proto__":1}`),
      },
    });
    expect(JSON.parse(sent[0] ?? '')).toMatchObject({
      body: { data: { 'a\uFFFD': ['x\uFFFD\uFFFD', '\\u0000 😀'] } },
    });
    expect(sent[0]).not.toMatch(/__proto__/);
  });

  test('data nested or spread beyond what is read is refused here', async () => {
    const { frames, sent } = open();
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    const wide = Array.from({ length: 100_001 }, () => 1);
    for (const data of [deep, wide]) {
      const body = { epoch: 1, key: 'o', data };
      const { error } = await frames.add({ type: 'output', attempt: 'att_1', body });
      expect(error).toMatchObject({ code: 'limit_exceeded', retry: false });
    }
    expect(sent()).toEqual([]);
  });

  test('those that wait are rejected when the link is closed for good', async () => {
    const { frames } = open();
    const asked = frames.add(note('a', '1'));
    frames.close();
    await expect(asked).rejects.toBeInstanceOf(LinkClosed);
  });
});
