import type { TableName, Tables } from '@baton/kernel';
import { TABLES, writeStatements, type Db, type RowChange } from '@baton/store';
import { sampleRow } from './sample-rows.ts';

/** Rows by table; what a row leaves out is taken from the sample. */
export type RowSet = { readonly [T in TableName]?: readonly Partial<Tables[T]>[] };

/** Stores rows in one transaction, made whole with the samples. */
export async function insertRows(db: Db, rows: RowSet): Promise<void> {
  const changes = (Object.keys(rows) as TableName[]).flatMap((table): RowChange[] =>
    (rows[table] ?? []).map((fields) => {
      const row = sampleRow(table, fields);
      const key = TABLES[table].key.property as keyof typeof row;
      return { table, id: row[key], row, original: null };
    }),
  );
  await db.transaction(async (tx) => {
    await tx.commitWith(writeStatements(changes));
  });
}
