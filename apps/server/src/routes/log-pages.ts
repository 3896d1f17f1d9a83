import { isTerminalRun, type LogPage } from '@baton/contract';
import type { RunRow } from '@baton/kernel';
import { z } from 'zod';
import type { App } from '../app.ts';
import { mapPage, readPage } from '../paging.ts';
import type { AttemptRead } from '../reads/reads.ts';
import { logChunkView } from '../views/attempt.ts';

const bySeq = z.strictObject({ seq: z.int().nonnegative() });
const byTime = z.strictObject({ atMs: z.number(), attemptId: z.string().max(64), seq: z.int() });

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
  const page = await readPage(
    { limit: chunkLimit(query.limit), cursor: query.cursor, filter: ['log', id, query.stream] },
    bySeq,
    (count, after) => app.reads.logsOfAttempt(id, query.stream, after?.seq ?? 0, count),
    ({ seq }) => ({ seq }),
  );
  const ended = endedAtMs !== null && page.next_cursor === null;
  return { ...mapPage(page, logChunkView), ended };
}

/** All output of a run by time, a page at a time. */
export async function readRunLogPage(
  app: Pick<App, 'reads'>,
  run: RunRow,
  query: LogQuery,
): Promise<LogPage> {
  const page = await readPage(
    {
      limit: chunkLimit(query.limit),
      cursor: query.cursor,
      filter: ['logs', run.id, query.stream],
    },
    byTime,
    (count, after) => app.reads.logsOfRun(run.id, query.stream, after, count),
    ({ atMs, attemptId, seq }) => ({ atMs, attemptId, seq }),
  );
  const ended = isTerminalRun(run.status) && page.next_cursor === null;
  return { ...mapPage(page, logChunkView), ended };
}

function chunkLimit(asked: number | undefined): number {
  return Math.min(asked ?? chunksDefault, chunksMax);
}
