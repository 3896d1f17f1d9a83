import { isTerminalRun, type LogPage } from '@baton/contract';
import type { RunRow } from '@baton/kernel';
import { z } from 'zod';
import type { App } from '../app.ts';
import { decodeCursor, encodeCursor, hashOf, instantMs } from '../paging.ts';
import type { AttemptRead, LogRead } from '@baton/store';
import { logChunkView } from '../views/attempt.ts';

const bySeq = z.strictObject({ seq: z.int().nonnegative() });
const byTime = z.strictObject({ atMs: instantMs, attemptId: z.string().max(64), seq: z.int() });

/** Chunks are up to 128 KiB each: a page of them is shorter than other pages. */
const chunksDefault = 50;
const chunksMax = 200;

interface LogQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly stream?: string | undefined;
}

/** One attempt's output, a page at a time; empty when there is no attempt yet. */
export async function readAttemptLogPage(
  app: Pick<App, 'reads'>,
  read: AttemptRead | undefined,
  query: LogQuery,
): Promise<LogPage> {
  if (read === undefined) return { items: [], next_cursor: null, ended: false };
  const { id, endedAtMs } = read.attempt;
  const page = await readLogPage(
    { ...query, filter: ['log', id, query.stream] },
    bySeq,
    (count, after) => app.reads.logsOfAttempt(id, query.stream, after?.seq ?? 0, count),
    ({ seq }) => ({ seq }),
  );
  return { ...page, ended: endedAtMs !== null && page.next_cursor === null };
}

/** All output of a run by time, a page at a time. */
export async function readRunLogPage(
  app: Pick<App, 'reads'>,
  run: RunRow,
  query: LogQuery,
): Promise<LogPage> {
  const page = await readLogPage(
    { ...query, filter: ['logs', run.id, query.stream] },
    byTime,
    (count, after) => app.reads.logsOfRun(run.id, query.stream, after, count),
    ({ atMs, attemptId, seq }) => ({ atMs, attemptId, seq }),
  );
  return { ...page, ended: isTerminalRun(run.status) && page.next_cursor === null };
}

/**
 * A page of pieces. The store gives fewer than asked for when they are large, so that only an empty
 * read behind the last piece tells that it was the last.
 */
async function readLogPage<K>(
  request: LogQuery & { readonly filter: readonly unknown[] },
  key: z.ZodType<K>,
  load: (limit: number, after: K | undefined) => Promise<readonly LogRead[]>,
  keyOf: (piece: LogRead) => K,
): Promise<Omit<LogPage, 'ended'>> {
  const hash = hashOf(request.filter);
  const after = request.cursor === undefined ? undefined : decodeCursor(request.cursor, key, hash);
  const pieces = await load(Math.min(request.limit ?? chunksDefault, chunksMax), after);
  const last = pieces.at(-1);
  const more = last !== undefined && (await load(1, keyOf(last))).length > 0;
  return {
    items: pieces.map(logChunkView),
    next_cursor: more ? encodeCursor(keyOf(last), hash) : null,
  };
}
