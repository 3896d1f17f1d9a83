import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import type { Db } from './db.ts';
import { listMigrations, migrate } from './migrate.ts';
import { statement } from './statement.ts';

const listTables = statement({
  name: 'listTables',
  args: () => [],
  row: z.strictObject({ table_name: z.string() }),
  sql: `
    select table_name
      from information_schema.tables
     where table_schema = 'public'
     order by table_name`,
});

let directory: string;
const write = (name: string, sql: string): Promise<void> => writeFile(join(directory, name), sql);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-migrations-'));
  await write('0001-runs.sql', 'create table a (id int);\ncreate table b (id int);');
  await write('0002-workers.sql', 'create table c (id int);');
});
afterEach(() => rm(directory, { recursive: true }));

describe('a directory of migrations', () => {
  test('is read in order, with the breaking ones marked', async () => {
    await write('0003-leave.sql', '-- breaking\ndrop table a;');
    const migrations = await listMigrations(directory);
    expect(migrations.map(({ version, name, isBreaking }) => [version, name, isBreaking])).toEqual([
      [1, '0001-runs', false],
      [2, '0002-workers', false],
      [3, '0003-leave', true],
    ]);
  });

  test('may leave numbers out', async () => {
    await write('0004-gap.sql', 'select 1');
    const migrations = await listMigrations(directory);
    expect(migrations.map(({ version }) => version)).toEqual([1, 2, 4]);
  });

  test.each(['3-short.sql', '0003_underscore.sql', '0002-twice.sql'])(
    'with %s is refused',
    async (name) => {
      await write(name, 'select 1');
      await expect(listMigrations(directory)).rejects.toThrow(/should be named/);
    },
  );

  test('of this package is complete', async () => {
    expect((await listMigrations()).length).toBeGreaterThan(0);
  });
});

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`migrate on ${database.title}`, () => {
    let opened: OpenDatabase;
    let db: Db;
    beforeAll(async () => {
      opened = await database.open({ isMigrated: false });
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(() =>
      db.exclusive((admin) => admin.script('drop schema public cascade; create schema public')),
    );
    const tables = async (): Promise<string[]> =>
      (await db.query(listTables)).map(({ table_name }) => table_name);

    test('applies what is missing, once', async () => {
      expect(await migrate(db, await listMigrations(directory))).toEqual({
        applied: ['0001-runs', '0002-workers'],
      });
      await write('0003-more.sql', 'create table d (id int);');
      const migrations = await listMigrations(directory);
      expect(await migrate(db, migrations)).toEqual({ applied: ['0003-more'] });
      expect(await migrate(db, migrations)).toEqual({ applied: [] });
      expect(await tables()).toEqual(['a', 'b', 'c', 'd', 'schema_migrations']);
    });

    test('keeps whole migrations only when one fails, and goes on from there', async () => {
      await write('0002-workers.sql', 'create table c (id int); select 1 / 0;');
      await expect(migrate(db, await listMigrations(directory))).rejects.toMatchObject({
        sqlState: '22012',
      });
      expect(await tables()).toEqual(['a', 'b', 'schema_migrations']);
      await write('0002-workers.sql', 'create table c (id int);');
      expect(await migrate(db, await listMigrations(directory))).toEqual({
        applied: ['0002-workers'],
      });
    });

    test('started twice at once applies everything once', async () => {
      const migrations = await listMigrations(directory);
      const reports = await Promise.all([migrate(db, migrations), migrate(db, migrations)]);
      expect(reports.flatMap(({ applied }) => applied)).toEqual(['0001-runs', '0002-workers']);
    });

    test('accepts a newer schema, so that the previous version can be put back', async () => {
      const older = await listMigrations(directory);
      await write('0003-more.sql', 'create table d (id int);');
      await migrate(db, await listMigrations(directory));
      expect(await migrate(db, older)).toEqual({ applied: [] });
    });

    test('refuses a newer schema that breaks this version', async () => {
      const older = await listMigrations(directory);
      await write('0003-leave.sql', '-- breaking\ndrop table a;');
      await migrate(db, await listMigrations(directory));
      await expect(migrate(db, older)).rejects.toMatchObject({
        code: 'schema_newer',
        publicDetail: { migration: '0003-leave' },
      });
    });

    test('refuses a migration that was changed after it was applied', async () => {
      await migrate(db, await listMigrations(directory));
      await write('0001-runs.sql', 'create table other (id int);');
      await expect(migrate(db, await listMigrations(directory))).rejects.toThrow(/0001-runs was/);
    });

    test('brings a new database to the schema of this version', async () => {
      const { applied } = await migrate(db);
      expect(applied).toEqual((await listMigrations()).map(({ name }) => name));
    });
  });
}
