import type { StatementText } from '../statement.ts';

/** Rows compared with the declared shape. @throws {Error} that names the statement and what differs */
export function checkedRows<Row>(statement: StatementText<Row>, rows: readonly unknown[]): Row[] {
  return rows.map((row) => {
    const checked = statement.row.safeParse(row);
    if (checked.success) return checked.data;
    throw new Error(`${statement.name} returned a row that differs: ${checked.error.message}`);
  });
}
