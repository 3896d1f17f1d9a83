import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabases, insertRows, type OpenDatabase } from '@baton/testkit';
import type { Db } from '../db.ts';
import { createReads } from '../reads.ts';
import { appendLogChunk, type LogOutcome, type LogPiece } from './logs.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`logs on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(async () => {
      await db.exclusive((admin) => admin.script('truncate attempts, log_heads, log_chunks'));
      await insertRows(db, {
        attempts: [
          { id: 'att_1', epoch: 5 },
          { id: 'att_2', epoch: 6, taskId: 'task_2', status: 'stopping' },
          { id: 'att_3', epoch: 7, taskId: 'task_3', status: 'succeeded', endedAtMs: 1 },
        ],
      });
    });

    const put = (
      offset: number,
      text: string,
      fields: Partial<LogPiece> = {},
    ): Promise<LogOutcome> =>
      appendLogChunk(db, {
        attempt: 'att_1',
        worker: 'wrk_1',
        epoch: 5,
        stream: 'stdout',
        offset,
        data: bytes(text),
        ...fields,
      });
    const text = async (attempt = 'att_1', stream?: string): Promise<string> => {
      const pieces = await createReads(db).logsOfAttempt(attempt, stream, 0, 1_000);
      return Buffer.concat(pieces.map((it) => it.data)).toString();
    };

    test('grow by what is new; the same again changes nothing', async () => {
      expect(await put(0, 'abc')).toEqual({ kind: 'appended', nextOffset: 3 });
      expect(await put(0, 'abc')).toEqual({ kind: 'known', nextOffset: 3 });
      expect(await put(1, 'bcde')).toEqual({ kind: 'appended', nextOffset: 5 });
      expect(await put(0, 'ab')).toEqual({ kind: 'known', nextOffset: 5 });
      expect(await put(5, '')).toEqual({ kind: 'known', nextOffset: 5 });
      expect(await text()).toBe('abcde');
    });

    test('refuse a gap and say where to go on', async () => {
      expect(await put(1, 'x')).toEqual({ kind: 'gap', nextOffset: 0 });
      expect(await put(0, 'ab')).toEqual({ kind: 'appended', nextOffset: 2 });
      expect(await put(3, 'x')).toEqual({ kind: 'gap', nextOffset: 2 });
      expect(await text()).toBe('ab');
    });

    test('count each stream by itself, in one order', async () => {
      await put(0, 'out');
      await put(0, 'error', { stream: 'stderr' });
      await put(3, '!');
      expect(await put(5, '?', { stream: 'stderr' })).toEqual({ kind: 'appended', nextOffset: 6 });
      expect(await text('att_1', 'stderr')).toBe('error?');
      const all = await createReads(db).logsOfAttempt('att_1', undefined, 0, 10);
      expect(all.map((it) => [it.seq, it.stream, it.offset])).toEqual([
        [1, 'stdout', 0],
        [2, 'stderr', 0],
        [3, 'stdout', 3],
        [4, 'stderr', 5],
      ]);
    });

    test('take nothing under another epoch, of an ended attempt, or of another worker', async () => {
      expect(await put(0, 'x', { epoch: 4 })).toEqual({ kind: 'stale' });
      expect(await put(0, 'x', { attempt: 'att_3', epoch: 7 })).toEqual({ kind: 'stale' });
      expect(await put(0, 'x', { worker: 'wrk_2' })).toEqual({ kind: 'not_found' });
      expect(await put(0, 'x', { attempt: 'att_9' })).toEqual({ kind: 'not_found' });
      expect(await text()).toBe('');
    });

    test('take the last words of an attempt that is being stopped, and of its own token', async () => {
      const stopping = { attempt: 'att_2', epoch: 6, worker: null };
      expect(await put(0, 'bye', stopping)).toEqual({ kind: 'appended', nextOffset: 3 });
    });

    test('hold any bytes, and a page of large pieces is bounded', async () => {
      const data = new Uint8Array(1024 * 1024).map((_, at) => at % 256);
      for (let n = 0; n < 6; n++) {
        await put(n * data.length, '', { data });
      }
      const reads = createReads(db);
      const first = await reads.logsOfAttempt('att_1', undefined, 0, 1_000);
      expect(first.length).toBe(4);
      const rest = await reads.logsOfAttempt('att_1', undefined, first.at(-1)?.seq ?? 0, 1_000);
      expect(rest.length).toBe(2);
      expect(Buffer.compare(rest[1]?.data ?? bytes(''), data)).toBe(0);
    });

    test('of a run come by time, page by page', async () => {
      await put(0, '1');
      await put(0, '2', { attempt: 'att_2', epoch: 6 });
      await put(1, '3', { stream: 'stdout' });
      await put(0, '4', { stream: 'system' });
      const reads = createReads(db);
      const seen: string[] = [];
      let after: { atMs: number; attemptId: string; seq: number } | undefined;
      for (;;) {
        const page = await reads.logsOfRun('run_1', undefined, after, 1);
        const last = page.at(-1);
        if (last === undefined) break;
        seen.push(...page.map((it) => Buffer.from(it.data).toString()));
        after = last;
      }
      expect(seen.toSorted()).toEqual(['1', '2', '3', '4']);
      const ofAttempt = seen.filter((it) => it !== '2');
      expect(ofAttempt).toEqual(['1', '3', '4']);
      expect((await reads.logsOfRun('run_1', 'system', undefined, 10)).length).toBe(1);
    });

    test('end up whole whatever is sent twice, overlapping and at the same time', async () => {
      const whole = 'The quick brown fox jumps over the lazy dog.';
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(whole.length), fc.nat(12)), { maxLength: 12 }),
          async (pieces) => {
            await db.exclusive((admin) => admin.script('truncate log_heads, log_chunks'));
            await Promise.all(
              pieces.map(([from, length]) => put(from, whole.slice(from, from + length))),
            );
            let at = 0;
            while (at < whole.length) {
              const outcome = await put(at, whole.slice(at, at + 7));
              if (!('nextOffset' in outcome)) throw new Error(outcome.kind);
              at = outcome.nextOffset;
            }
            expect(await text()).toBe(whole);
            const stored = await createReads(db).logsOfAttempt('att_1', undefined, 0, 1_000);
            expect(stored.map((it) => it.seq)).toEqual(stored.map((_, index) => index + 1));
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
