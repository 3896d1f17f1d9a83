// Forward-only migrations: `NNNN-what.sql`, in order, each in a transaction of its own together with its
// row in `schema_migrations`, so that an interruption leaves whole migrations only.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { AppError } from '@baton/contract';
import type { AdminSession, Db } from './db.ts';
import { statement } from './statement.ts';

/** The migrations of this version; found from `src` and from `dist` alike. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../migrations', import.meta.url));

/** One file of the migrations directory. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
  /** First line `-- breaking`: programs that do not know it must not run on the result. */
  readonly isBreaking: boolean;
}

/** Names of the migrations that `migrate` applied, in order. */
export interface MigrationReport {
  readonly applied: readonly string[];
}

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;
/** Taken for the whole migration, so that of several starting replicas one migrates and the others wait. */
const ADVISORY_LOCK = 4_271_906_318;
const LOCK_WAIT = '5min';

/** The migrations that a database has; its table of them must be there. */
export const appliedMigrations = statement({
  name: 'appliedMigrations',
  args: () => [],
  row: z.strictObject({
    version: z.int(),
    name: z.string(),
    sha256: z.string(),
    is_breaking: z.boolean(),
  }),
  sql: `
    select version, name, sha256, is_breaking
      from schema_migrations
     order by version
     limit 10000`,
});

const hasMigrations = statement({
  name: 'hasMigrations',
  args: () => [],
  row: z.strictObject({ has: z.boolean() }),
  sql: `select to_regclass('public.schema_migrations') is not null as has`,
});

const recordMigration = statement({
  name: 'recordMigration',
  args: ({ version, name, sha256, isBreaking }: Migration) => [version, name, sha256, isBreaking],
  row: z.strictObject({}),
  sql: `
    insert into schema_migrations (version, name, sha256, is_breaking)
    values ($1, $2, $3, $4)`,
});

const CREATE_MIGRATIONS = `
  create table if not exists schema_migrations (
    version int primary key,
    name text not null,
    sha256 text not null,
    is_breaking boolean not null,
    applied_at timestamptz not null default clock_timestamp()
  )`;

/**
 * The migrations of a directory in order; numbers may be left out, none is given twice.
 * @throws {Error} when a name is wrong
 */
export async function listMigrations(directory = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).toSorted();
  const versionOf = (file: string | undefined): number => Number(FILE_NAME.exec(file ?? '')?.[1]);
  return Promise.all(
    files.map(async (file, index) => {
      const version = versionOf(file);
      const isNext = index === 0 || version > versionOf(files[index - 1]);
      if (!isNext || !(version > 0)) {
        throw new Error(`${file} should be named NNNN-what.sql, with a number of its own`);
      }
      const sql = await readFile(join(directory, file), 'utf8');
      return {
        version,
        name: file.slice(0, -'.sql'.length),
        sql,
        sha256: createHash('sha256').update(sql).digest('hex'),
        isBreaking: /^--\s*breaking\s*$/m.test(sql.split('\n', 1)[0] ?? ''),
      };
    }),
  );
}

/**
 * Brings the database to the newest schema; safe to interrupt and to run from several processes.
 * A newer schema is accepted unless one of its migrations is breaking, so that the previous version can
 * be put back.
 * @throws {AppError} `schema_newer` on a newer breaking schema
 * @throws {StoreError} when a migration fails; those before it stay applied
 */
export async function migrate(
  db: Pick<Db, 'exclusive'>,
  migrations?: readonly Migration[],
): Promise<MigrationReport> {
  const known = migrations ?? (await listMigrations());
  return db.exclusive(async (admin) => {
    await admin.script(
      `set lock_timeout = '${LOCK_WAIT}'; select pg_advisory_lock(${ADVISORY_LOCK})`,
    );
    try {
      await createMigrationsTable(admin);
      const done = await admin.query(appliedMigrations);
      assertFits(known, done);
      const applied = new Set(done.map(({ version }) => version));
      const pending = known.filter(({ version }) => !applied.has(version));
      for (const migration of pending) await apply(admin, migration);
      return { applied: pending.map(({ name }) => name) };
    } finally {
      await admin.script(`select pg_advisory_unlock(${ADVISORY_LOCK}); reset lock_timeout`);
    }
  });
}

/** Makes the table of migrations where there is none. */
export function createMigrationsTable(admin: AdminSession): Promise<void> {
  return admin.script(CREATE_MIGRATIONS);
}

/** Names of the migrations that a database has, in order; none when it was never migrated. */
export function listAppliedMigrations(db: Pick<Db, 'exclusive'>): Promise<string[]> {
  return db.exclusive(async (admin) => {
    const [row] = await admin.query(hasMigrations);
    if (row?.has !== true) return [];
    return (await admin.query(appliedMigrations)).map(({ name }) => name);
  });
}

async function apply(admin: AdminSession, migration: Migration): Promise<void> {
  await admin.script('begin');
  try {
    await admin.script(migration.sql);
    await admin.query(recordMigration, migration);
    await admin.script('commit');
  } catch (error) {
    await admin.script('rollback');
    throw error;
  }
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
  readonly is_breaking: boolean;
}

function assertFits(known: readonly Migration[], done: readonly AppliedRow[]): void {
  const newest = known.at(-1)?.version ?? 0;
  const breaking = done.find(({ version, is_breaking }) => version > newest && is_breaking);
  if (breaking !== undefined) {
    throw new AppError(
      'schema_newer',
      `The database was migrated by a newer version of Baton (${breaking.name}), with which this ` +
        'version cannot work. Start that version again.',
      { detail: { migration: breaking.name } },
    );
  }
  const byVersion = new Map(known.map((migration) => [migration.version, migration]));
  for (const row of done) {
    const migration = byVersion.get(row.version);
    if (migration === undefined || migration.sha256 === row.sha256) continue;
    throw new Error(
      `migration ${migration.name} was changed after it was applied to this database as ${row.name}`,
    );
  }
}
