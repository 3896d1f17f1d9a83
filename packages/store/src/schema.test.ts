import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dumpSchema, freshDatabases, type OpenDatabase } from '@baton/testkit';
import { TABLES } from './tables.ts';
import type { Table } from './tables/table.ts';

/** Columns that the database or the store keeps by itself; rows do not have them. */
const kept: Readonly<Record<string, readonly string[]>> = {
  attempts: ['is_current'],
  runs: ['is_unfunded', 'version'],
  workers: ['changes'],
};

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`the schema on ${database.title}`, () => {
    let opened: OpenDatabase;
    let schema: string;
    beforeAll(async () => {
      opened = await database.open();
      schema = await dumpSchema(opened.db);
    });
    afterAll(() => opened?.close());

    test('is schema.sql when migrating from nothing (after a migration: vitest run --update)', async () => {
      await expect(schema).toMatchFileSnapshot('../schema.sql');
    });

    test.each(Object.values(TABLES).map((table) => table.name))(
      'has for %s exactly the columns that the table declares',
      (name) => {
        const table = TABLES[name] as Table;
        const begin = schema.indexOf(`create table ${table.sqlName} (\n`);
        const body = schema.slice(begin, schema.indexOf('\n)', begin));
        const stored = body
          .split('\n')
          .slice(1)
          .filter((line) => !line.startsWith('  constraint '))
          .map((line) => line.trim().replace(/,$/, ''));
        const declared = table.columns.map(({ name: column, isNullable }) => [column, isNullable]);
        const found = new Map(
          stored.map((line) => [line.split(' ')[0] ?? '', !/ not null( default .*)?$/.test(line)]),
        );
        for (const column of kept[table.sqlName] ?? []) found.delete(column);
        expect(found).toEqual(new Map(declared as [string, boolean][]));
      },
    );
  });
}
