import * as z from 'zod';
import type { TransactionOutcome } from '../db.ts';
import { bind, statement, type Bound } from '../statement.ts';
import { StoreError } from '../store-error.ts';

const transactionStatus = statement({
  name: 'transactionStatus',
  args: (xid: string) => [xid],
  row: z.strictObject({ status: z.enum(['committed', 'aborted', 'in progress']).nullable() }),
  sql: `select pg_xact_status($1::xid8) as status`,
});

const INVALID_PARAMETER = '22023';

/** Asks the server what became of a transaction. @throws {StoreError} also when it is too long ago */
export async function askOutcome(
  run: <Row>(bound: Bound<Row>) => Promise<Row[]>,
  xid: string,
): Promise<TransactionOutcome> {
  try {
    const [row] = await run(bind(transactionStatus, xid));
    const status = row?.status ?? null;
    if (status === null) throw new StoreError('data', `transaction ${xid} is too long ago`);
    return status === 'in progress' ? 'in_progress' : status;
  } catch (error) {
    // An id not given out yet: the server lost it in a crash, so it was not committed.
    const isLost = error instanceof StoreError && error.sqlState === INVALID_PARAMETER;
    if (isLost) return 'aborted';
    throw error;
  }
}
