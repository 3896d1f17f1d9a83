import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import type { StatementShape } from './db.ts';
import type { StatementText } from './statement.ts';

/** Files that declare the statements of the migrated database. */
async function listFiles(): Promise<string[]> {
  const inFolders = await Promise.all(
    ['statements', 'world'].map(async (folder) => {
      const names = await readdir(new URL(`./${folder}`, import.meta.url));
      return names.map((name) => `./${folder}/${name}`);
    }),
  );
  return [...inFolders.flat(), './feed.ts'].filter((name) => !name.endsWith('.test.ts'));
}

const isStatement = (value: unknown): value is StatementText<unknown> =>
  typeof value === 'object' && value !== null && 'wireName' in value && 'sql' in value;

/** Statements among a module's exports, also those in records and lists. */
function statementsIn(value: unknown): StatementText<unknown>[] {
  if (isStatement(value)) return [value];
  if (value instanceof z.ZodType || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(statementsIn);
}

const files = await listFiles();
const modules = await Promise.all(files.map((file) => import(file) as Promise<object>));
const statements = modules.flatMap((module) => statementsIn({ ...module }));

/** A value of each type as the parsers give it, by oid. Documents fit anything. */
const SAMPLES: ReadonlyMap<number, unknown> = new Map<number, unknown>([
  [16, true],
  [17, Buffer.from('x')],
  [20, 1],
  [21, 1],
  [23, 1],
  [25, 'x'],
  [701, 1],
  [1009, ['x']],
  [1184, 1],
]);
const DOCUMENTS: ReadonlySet<number> = new Set([114, 3802]);

function misfits(statement: StatementText<unknown>, shape: StatementShape): string[] {
  const declared = (statement.row as z.ZodObject).shape as Record<string, z.ZodType>;
  return shape.columns.flatMap(({ name, type }) => {
    if (DOCUMENTS.has(type)) return [];
    const schema = declared[name];
    return schema?.safeParse(SAMPLES.get(type)).success === true ? [] : [`${name} of type ${type}`];
  });
}

test('every statement has a name of its own', () => {
  const names = statements.map((it) => it.name);
  expect(names.length).toBeGreaterThan(100);
  expect(new Set(names).size).toBe(names.length);
});

test('every statement that a file names is exported, so that the walk sees it', async () => {
  const names = new Set(statements.map((it) => it.name));
  for (const file of files) {
    const source = await readFile(new URL(file, import.meta.url), 'utf8');
    for (const [, name] of source.matchAll(/statement\(\{\s+name: '(\w+)'/g)) {
      expect(names, `${name} of ${file}`).toContain(name);
    }
  }
});

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`statements on ${database.title}`, () => {
    let opened: OpenDatabase;
    beforeAll(async () => {
      opened = await database.open();
    });
    afterAll(() => opened?.close());

    test('each returns exactly the columns and types that it declares', async () => {
      const faults = await opened.db.exclusive(async (admin) => {
        const found: string[] = [];
        for (const statement of statements) {
          const shape = await admin.describe(statement.sql);
          const declared = Object.keys((statement.row as z.ZodObject).shape)
            .sort()
            .join();
          const returned = shape.columns
            .map((column) => column.name)
            .sort()
            .join();
          if (declared !== returned) {
            found.push(`${statement.name}: declares ${declared}, returns ${returned}`);
          }
          found.push(...misfits(statement, shape).map((it) => `${statement.name}: ${it}`));
        }
        return found;
      });
      expect(faults).toEqual([]);
    });
  });
}
