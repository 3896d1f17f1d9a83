import { createHash } from 'node:crypto';
import type { z } from 'zod';

/** One named query: SQL that can be read, arguments with names, the shape of a row. */
export interface Statement<Args extends readonly unknown[], Row> {
  readonly name: string;
  /** What the server knows it by: at most 63 bytes and different for different SQL. */
  readonly wireName: string;
  readonly sql: string;
  readonly row: z.ZodType<Row>;
  readonly args: (...args: Args) => readonly unknown[];
  /** False for statements that may change rows: when their connection is lost, the outcome is unknown. */
  readonly isRead: boolean;
}

/** A statement with its values, ready to be sent. `values[0]` is `$1`. */
export interface Bound<Row> {
  readonly statement: StatementText<Row>;
  readonly values: readonly unknown[];
}

/** A statement without its arguments: all that sending and reading it takes. */
export type StatementText<Row> = Pick<
  Statement<never, Row>,
  'name' | 'wireName' | 'sql' | 'row' | 'isRead'
>;

/** The rows of each bound statement, in the order of the list. */
export type RowsOf<List extends readonly Bound<unknown>[]> = {
  -readonly [Index in keyof List]: List[Index] extends Bound<infer Row> ? Row[] : never;
};

const WIRE_NAME_STEM_MAX = 48;
const READ_ONLY = /^\s*(select|values|table|show|explain)\b/i;
const LOCKS_ROWS = /\bfor\s+(no\s+key\s+)?(update|share|key\s+share)\b/i;

/**
 * Declares a query. `row` names the columns as the SQL returns them (snake_case) with the types of
 * `typeParsers`: timestamptz is a number of epoch milliseconds, int8 a number, numeric a string, json
 * is parsed. Rows are checked against it only by databases opened with `checkRows` (tests).
 */
export function statement<Args extends readonly unknown[], Row>(declared: {
  readonly name: string;
  readonly args: (...args: Args) => readonly unknown[];
  readonly row: z.ZodType<Row>;
  readonly sql: string;
}): Statement<Args, Row> {
  const sql = declared.sql.trim();
  const digest = createHash('sha256').update(sql).digest('hex').slice(0, 10);
  return Object.freeze({
    name: declared.name,
    wireName: `${declared.name.slice(0, WIRE_NAME_STEM_MAX)}_${digest}`,
    sql,
    row: declared.row,
    args: declared.args,
    isRead: READ_ONLY.test(sql) && !LOCKS_ROWS.test(sql),
  });
}

/** A statement and the values for its parameters; runs the statement's `args`. */
export function bind<Args extends readonly unknown[], Row>(
  bound: Statement<Args, Row>,
  ...args: Args
): Bound<Row> {
  return { statement: bound, values: bound.args(...args) };
}
