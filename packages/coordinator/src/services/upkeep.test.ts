import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { processRuntime } from '../runtime.ts';
import { createUpkeep } from './upkeep.ts';

const log = pino({ level: 'silent' });

const KB = 1024;
const MB = 1024 * KB;

/** A database that writes what it is told to; an upkeep writes a little itself. */
function stage() {
  const it = { bytes: 5 * MB, nowMs: 1_000, done: 0 };
  const upkeep = createUpkeep({
    log,
    runtime: { ...processRuntime, monotonicMs: () => it.nowMs },
    store: {
      findWrittenBytes: async () => it.bytes,
      maintain: async () => {
        it.done += 1;
        it.bytes += 300 * KB;
      },
    },
  });
  /** What was written since the last look, and how long ago that was. */
  const look = async (writtenBytes: number, seconds = 5): Promise<number> => {
    it.bytes += writtenBytes;
    it.nowMs += seconds * 1_000;
    await upkeep.runOnce();
    return it.done;
  };
  return { upkeep, look };
}

describe('upkeep of the embedded database', () => {
  test('waits while there is work, and is done as soon as there is none', async () => {
    const { look } = stage();
    await look(0);
    expect(await look(2 * MB)).toBe(0);
    expect(await look(2 * MB)).toBe(0);
    expect(await look(4 * KB)).toBe(1);
    expect(await look(4 * KB)).toBe(1);
  });

  test('leaves alone what nobody writes to, for however long', async () => {
    const { look } = stage();
    await look(0);
    expect(await look(2 * MB)).toBe(0);
    expect(await look(0)).toBe(1);
    for (let hours = 0; hours < 50; hours += 1) expect(await look(0, 3_600)).toBe(1);
  });

  test('comes now and then for the little that is written', async () => {
    const { look } = stage();
    await look(0);
    expect(await look(10 * KB, 60)).toBe(0);
    expect(await look(10 * KB, 9 * 60)).toBe(1);
  });

  test('is done under load before too much was written, or too long went by', async () => {
    const { look } = stage();
    await look(0);
    expect(await look(63 * MB)).toBe(0);
    expect(await look(2 * MB)).toBe(1);
    expect(await look(1 * MB, 29 * 60)).toBe(1);
    expect(await look(1 * MB, 60)).toBe(2);
  });

  test('is none of our business on a server', async () => {
    const maintain = () => Promise.reject(new Error('not asked for'));
    const upkeep = createUpkeep({
      log,
      runtime: processRuntime,
      store: { findWrittenBytes: async () => undefined, maintain },
    });
    expect([await upkeep.runOnce(), await upkeep.runOnce()]).toEqual([0, 0]);
  });
});
