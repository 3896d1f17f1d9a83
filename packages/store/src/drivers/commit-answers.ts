// What the answers to the statements of a transaction and to its COMMIT mean.
import type { Bound, RowsOf } from '../statement.ts';
import { endsConnection, isServerError, StoreError, toStoreError } from '../store-error.ts';
import { rowsOf, type Answer } from './session.ts';

/** The first failure; `headLength` answers stand in front of those to `bound`. */
export function findFailure(
  bound: readonly Bound<unknown>[],
  headLength: number,
  answers: readonly Answer[],
): StoreError | undefined {
  const at = answers.findIndex(({ ok }) => !ok);
  const failed = answers[at];
  if (failed === undefined || failed.ok) return undefined;
  return toStoreError(failed.error, bound[at - headLength]?.statement.name);
}

/**
 * Returns when the last answer, COMMIT's, says that it was committed. `failure` is the first one before it.
 * @throws {StoreError} `failure` when nothing was committed, and what `unknown` makes when it cannot be told
 */
export function assertCommitted(
  answers: readonly Answer[],
  failure: StoreError | undefined,
  unknown: (message: string, cause: unknown) => StoreError,
): void {
  const commit = answers.at(-1);
  if (commit?.ok === true) {
    if (commit.command === 'COMMIT') return;
    throw failure ?? new StoreError('data', 'COMMIT was answered with ROLLBACK');
  }
  const refused = answers.find((answer) => !answer.ok && isServerError(answer.error));
  const isRefused = refused !== undefined && !refused.ok && !endsConnection(refused.error);
  if (isRefused) throw failure ?? toStoreError(refused.error);
  throw unknown('the connection was lost after COMMIT was sent', commit?.error);
}

/** The rows of answers without a failure. @throws when they are checked and do not fit */
export function readRows<List extends readonly Bound<unknown>[]>(
  bound: List,
  answers: readonly Answer[],
  checkRows: boolean,
): RowsOf<List> {
  const rows = bound.map((one, index) => {
    const answer = answers[index];
    return rowsOf(one, answer?.ok === true ? answer.rows : [], checkRows);
  });
  return rows as unknown as RowsOf<List>;
}
