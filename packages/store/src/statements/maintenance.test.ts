// The embedded database has no autovacuum: what the coordinator does when it is idle must keep tables
// small whose rows only come and go.
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { statement } from '../statement.ts';
import { maintain } from './maintenance.ts';

const ROWS_A_ROUND = 2_000;
const ROUNDS = 10;

const sizeOf = statement({
  name: 'sizeOfQueue',
  args: () => [],
  row: z.strictObject({ ready: z.int(), timers: z.int() }),
  sql: `
    select pg_total_relation_size('ready') as ready, pg_total_relation_size('timers') as timers`,
});

const CHURN = `
  insert into ready (task_id, run_id, project_id, needs_id, priority, pass, seq)
  select 'task_' || n, 'run_1', 'prj_1', 'needs_1', 2, 0, n
    from generate_series(1, ${ROWS_A_ROUND}) as n;
  insert into timers (id, project_id, run_id, kind, guard, due_at)
  select 'tmr_' || n, 'prj_1', 'run_1', 'retry_backoff', 1, now()
    from generate_series(1, ${ROWS_A_ROUND}) as n;
  delete from ready;
  delete from timers`;

describe('housekeeping of the embedded database', () => {
  let opened: OpenDatabase;
  beforeAll(async () => {
    const [pglite] = freshDatabases();
    if (pglite === undefined) throw new Error('no database');
    opened = await pglite.open();
  });
  afterAll(() => opened?.close());

  /** Bytes of both tables after so many rounds, with or without housekeeping after each. */
  async function grow(isMaintained: boolean): Promise<number> {
    await opened.db.exclusive((admin) => admin.script('truncate ready, timers'));
    for (let round = 0; round < ROUNDS; round++) {
      await opened.db.exclusive((admin) => admin.script(CHURN));
      if (isMaintained) await maintain(opened.db);
    }
    const [size] = await opened.db.query(sizeOf);
    return (size?.ready ?? 0) + (size?.timers ?? 0);
  }

  test('keeps queues small through which 20,000 rows went', { timeout: 300_000 }, async () => {
    const neglected = await grow(false);
    const kept = await grow(true);
    expect(kept).toBeLessThan(neglected / 3);
  });
});
