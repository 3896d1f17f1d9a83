import { z } from 'zod';
import type { AdminSession } from '../db.ts';
import { statement } from '../statement.ts';
import type { BackupColumn } from './backup-record.ts';

/** A stored table with its columns in order. */
export interface StoredTable {
  readonly name: string;
  readonly columns: readonly BackupColumn[];
}

/** Which migrations a database has; it comes with the schema, not with the rows. */
export const MIGRATIONS_TABLE = 'schema_migrations';

export const storedColumns = statement({
  name: 'storedColumns',
  args: () => [MIGRATIONS_TABLE],
  row: z.strictObject({ table: z.string(), column: z.string(), type: z.string() }),
  sql: `
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
      from pg_class c
      join pg_attribute a
        on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace
       and c.relkind in ('r', 'p')
       and not c.relispartition
       and c.relname <> $1
       and a.attnum > 0
       and not a.attisdropped
       and a.attgenerated = ''
     order by c.relname collate "C", a.attnum`,
});

export const storedReferences = statement({
  name: 'storedReferences',
  args: () => [],
  row: z.strictObject({ table: z.string(), refers: z.string() }),
  sql: `
    select child.relname as table, parent.relname as refers
      from pg_constraint k
      join pg_class child
        on child.oid = k.conrelid
      join pg_class parent
        on parent.oid = k.confrelid
     where k.contype = 'f'
       and child.relnamespace = 'public'::regnamespace
       and child.oid <> parent.oid`,
});

/** Every table of the database, those that others refer to first, else by name. */
export async function listStoredTables(
  admin: Pick<AdminSession, 'query'>,
): Promise<readonly StoredTable[]> {
  const tables = new Map<string, BackupColumn[]>();
  for (const { table, column, type } of await admin.query(storedColumns)) {
    const columns = tables.get(table) ?? [];
    columns.push([column, type]);
    tables.set(table, columns);
  }
  const references = await admin.query(storedReferences);
  const ordered = new Set<string>();
  const add = (name: string): void => {
    if (ordered.has(name)) return;
    for (const { table, refers } of references) if (table === name) add(refers);
    ordered.add(name);
  };
  for (const name of tables.keys()) add(name);
  return [...ordered].map((name) => ({ name, columns: tables.get(name) ?? [] }));
}
