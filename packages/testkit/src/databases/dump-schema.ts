import { statement, type Db } from '@baton/store';
import { z } from 'zod';

const tables = statement({
  name: 'dumpTables',
  args: () => [],
  row: z.strictObject({ name: z.string(), options: z.array(z.string()).nullable() }),
  sql: `
    select c.relname as name, c.reloptions as options
      from pg_class c
     where c.relnamespace = 'public'::regnamespace
       and c.relkind in ('r', 'p')
       and c.relname <> 'schema_migrations'
     order by c.relname collate "C"`,
});

const columns = statement({
  name: 'dumpColumns',
  args: () => [],
  row: z.strictObject({ table: z.string(), definition: z.string() }),
  sql: `
    select c.relname as table,
           a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
             || case when a.attcollation = '"C"'::regcollation then ' collate "C"' else '' end
             || case when a.attnotnull then ' not null' else '' end
             || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as definition
      from pg_attribute a
      join pg_class c
        on c.oid = a.attrelid
      left join pg_attrdef d
        on d.adrelid = a.attrelid
       and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace
       and c.relkind in ('r', 'p')
       and a.attnum > 0
       and not a.attisdropped
     order by c.relname collate "C", a.attnum`,
});

/** PostgreSQL 18 lists "not null" among the constraints; here the columns tell it. */
const constraints = statement({
  name: 'dumpConstraints',
  args: () => [],
  row: z.strictObject({ table: z.string(), definition: z.string() }),
  sql: `
    select c.relname as table,
           'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid) as definition
      from pg_constraint k
      join pg_class c
        on c.oid = k.conrelid
     where c.relnamespace = 'public'::regnamespace
       and k.contype <> 'n'
     order by c.relname collate "C", k.contype, k.conname collate "C"`,
});

const indexes = statement({
  name: 'dumpIndexes',
  args: () => [],
  row: z.strictObject({ table: z.string(), definition: z.string() }),
  sql: `
    select c.relname as table, pg_get_indexdef(i.indexrelid) as definition
      from pg_index i
      join pg_class c
        on c.oid = i.indrelid
      join pg_class ix
        on ix.oid = i.indexrelid
     where c.relnamespace = 'public'::regnamespace
       and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
     order by c.relname collate "C", ix.relname collate "C"`,
});

const functions = statement({
  name: 'dumpFunctions',
  args: () => [],
  row: z.strictObject({ definition: z.string() }),
  sql: `
    select pg_get_functiondef(p.oid) as definition
      from pg_proc p
     where p.pronamespace = 'public'::regnamespace
     order by p.proname collate "C"`,
});

/**
 * The schema of a migrated database as SQL text, the same text for the same schema whatever the
 * server: tables by name, each with its columns, constraints and indexes, then functions. To be read
 * and compared, not to be run.
 */
export async function dumpSchema(db: Db): Promise<string> {
  const [names, ofColumns, ofConstraints, ofIndexes, ofFunctions] = await Promise.all([
    db.query(tables),
    db.query(columns),
    db.query(constraints),
    db.query(indexes),
    db.query(functions),
  ]);
  const of = (rows: readonly { table: string; definition: string }[], table: string): string[] =>
    rows.filter((row) => row.table === table).map((row) => row.definition);
  const parts = names.map(({ name, options }) => {
    const lines = [...of(ofColumns, name), ...of(ofConstraints, name)];
    const storage = options === null ? '' : ` with (${options.join(', ')})`;
    const table = `create table ${name} (\n  ${lines.join(',\n  ')}\n)${storage};`;
    return [table, ...of(ofIndexes, name).map((it) => `${it};`)].join('\n');
  });
  return `${[...parts, ...ofFunctions.map((it) => `${it.definition.trimEnd()};`)].join('\n\n')}\n`;
}
