import { AppError } from '@baton/contract';
import { z } from 'zod';
import type { AdminSession, Db } from '../db.ts';
import { appliedMigrations, createMigrationsTable, listMigrations, migrate } from '../migrate.ts';
import { statement } from '../statement.ts';
import { StoreError } from '../store-error.ts';
import { nextIncarnation } from '../statements/incarnation.ts';
import type { BackupBlobs } from './backup-blobs.ts';
import {
  BACKUP_FORMAT,
  type BackupColumn,
  type BackupHeader,
  type BackupRecord,
  type BackupTotals,
  type BackupValue,
} from './backup-record.ts';
import { listStoredTables } from './table-list.ts';

/** Rows and bytes that are written at a time. */
const ROWS_A_WRITE = 500;
const BYTES_A_WRITE = 1024 * 1024;
/** Tables that have a row in every fresh database. */
const SEEDED: ReadonlySet<string> = new Set(['feed', 'event_periods']);

/** What came in, and the number of the history that begins with it. */
export interface RestoreReport extends BackupTotals {
  readonly header: BackupHeader;
  readonly incarnation: number;
}

/**
 * Puts a backup into an empty database, all of it or nothing: rows in one transaction, blobs before it
 * is committed. The schema is brought to that of the backup first and to that of this version after.
 * Raises the incarnation, so that no epoch and no cursor of the time after the backup is taken for one
 * of the time after the restore. `records` must have been checked before: what is damaged half way
 * leaves nothing behind but blobs that nobody names.
 * @throws {AppError} `not_empty` when the database holds anything, `schema_newer` when the backup is
 * of a later version, `backup_damaged` when it ends too early
 */
export async function restoreDatabase(
  db: Db,
  blobs: Pick<BackupBlobs, 'put'>,
  records: AsyncIterable<BackupRecord>,
): Promise<RestoreReport> {
  const source = records[Symbol.asyncIterator]();
  const header = await readHeader(source);
  await prepareSchema(db, header);
  const restored = await db.exclusive((admin) => inTransaction(admin, source, blobs, header));
  await migrate(db);
  return { header, ...restored };
}

type Source = AsyncIterator<BackupRecord>;

async function readHeader(source: Source): Promise<BackupHeader> {
  const { value, done } = await source.next();
  if (done === true || value.kind !== 'header') throw damaged('it does not begin as a backup does');
  if (value.header.format === BACKUP_FORMAT) return value.header;
  throw new AppError(
    'schema_newer',
    `The backup has the format ${String(value.header.format)}, which this version of Baton cannot read.`,
  );
}

/** @throws {AppError} `backup_damaged`, in one form for every fault of a backup */
export function damaged(why: string, cause?: unknown): AppError {
  return new AppError('backup_damaged', `The backup is damaged: ${why}. Nothing was restored.`, {
    cause,
  });
}

/** The schema of the backup, in a database that has none or just that one, and no rows. */
async function prepareSchema(db: Db, header: BackupHeader): Promise<void> {
  const known = await listMigrations();
  const wanted = known.filter(({ name }) => header.migrations.includes(name));
  if (wanted.length < header.migrations.length) {
    const missing = header.migrations.find((name) => !known.some((it) => it.name === name));
    throw new AppError(
      'schema_newer',
      `The backup was made by a newer version of Baton (${missing ?? '?'}); restore it with that version.`,
      { detail: { migration: missing ?? '' } },
    );
  }
  const found = await db.exclusive(async (admin) => {
    await createMigrationsTable(admin);
    await assertEmpty(admin);
    return (await admin.query(appliedMigrations)).map(({ name }) => name);
  });
  const beyond = found.find((name) => !header.migrations.includes(name));
  // An empty schema of a later version holds nothing: it is made again as the backup knows it.
  if (beyond !== undefined) {
    await db.exclusive((admin) => admin.script('drop schema public cascade; create schema public'));
  }
  await migrate(db, wanted);
}

async function assertEmpty(admin: AdminSession): Promise<void> {
  for (const { name } of await listStoredTables(admin)) {
    if (SEEDED.has(name)) continue;
    const [row] = await admin.query(holdsRows(name));
    if (row?.holds !== true) continue;
    throw new AppError(
      'not_empty',
      `The database holds rows already (${name}). A backup goes only into an empty one: name another data directory or database.`,
      { detail: { table: name } },
    );
  }
}

function holdsRows(table: string) {
  return statement({
    name: `holdsRows_${table}`,
    args: () => [],
    row: z.strictObject({ holds: z.boolean() }),
    sql: `select exists (select 1 from "${table}") as holds`,
  });
}

async function inTransaction(
  admin: AdminSession,
  source: Source,
  blobs: Pick<BackupBlobs, 'put'>,
  header: BackupHeader,
): Promise<BackupTotals & { readonly incarnation: number }> {
  await admin.script('begin');
  try {
    // Whoever else would write waits until this is decided.
    for (const table of await listStoredTables(admin)) {
      await admin.script(`lock table "${table.name}" in exclusive mode`);
    }
    await assertEmpty(admin);
    const totals = await writeAll(admin, source, blobs);
    const incarnation = nextIncarnation(header.incarnation, Date.now());
    await admin.script(
      `update feed set incarnation = ${incarnation};
       update consumers set incarnation = ${incarnation}`,
    );
    await admin.script('commit');
    return { ...totals, incarnation };
  } catch (error) {
    await admin.script('rollback');
    if (error instanceof StoreError && error.kind === 'data') throw damaged(error.message, error);
    throw error;
  }
}

async function writeAll(
  admin: AdminSession,
  source: Source,
  blobs: Pick<BackupBlobs, 'put'>,
): Promise<BackupTotals> {
  const known = new Map((await listStoredTables(admin)).map((it) => [it.name, it.columns]));
  let writer: TableWriter | undefined;
  let rows = 0;
  let count = 0;
  let next = await source.next();
  while (next.done !== true) {
    const record = next.value;
    if (record.kind === 'row') {
      if (writer === undefined) throw damaged('rows come before their table');
      rows += 1;
      await writer.add(record.values);
    } else {
      await writer?.finish();
      writer = undefined;
    }
    if (record.kind === 'table') {
      writer = await openTable(admin, record.table, record.columns, known);
    } else if (record.kind === 'blob') {
      count += 1;
      const rest = bytesOf(source);
      await blobs.put(record.project, record.sha256, rest.bytes);
      next = await rest.next();
      continue;
    } else if (record.kind === 'end') {
      if (record.rows !== rows || record.blobs !== count) throw damaged('it does not count right');
      return { rows, blobs: count };
    }
    next = await source.next();
  }
  throw damaged('it ends too early');
}

/** The bytes up to the next record of another kind, and that record. */
function bytesOf(source: Source): {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly next: () => Promise<IteratorResult<BackupRecord>>;
} {
  let following: IteratorResult<BackupRecord> | undefined;
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { value, done } = (following = await source.next());
      if (done === true || value.kind !== 'bytes') return;
      yield value.bytes;
    }
  }
  return { bytes: read(), next: async () => following ?? (await source.next()) };
}

interface TableWriter {
  add(values: readonly BackupValue[]): Promise<void>;
  finish(): Promise<void>;
}

async function openTable(
  admin: AdminSession,
  table: string,
  columns: readonly BackupColumn[],
  known: ReadonlyMap<string, readonly BackupColumn[]>,
): Promise<TableWriter> {
  const own = new Map(known.get(table));
  for (const [column, type] of columns) {
    if (own.get(column) !== type) throw damaged(`there is no column ${table}.${column} ${type}`);
  }
  if (SEEDED.has(table)) await admin.script(`delete from "${table}"`);
  const insert = insertRows(table, columns);
  let rows: (readonly BackupValue[])[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return;
    await admin.query(
      insert,
      columns.map((_, at) => rows.map((row) => row[at] ?? null)),
    );
    rows = [];
    bytes = 0;
  };
  return {
    async add(values) {
      if (values.length !== columns.length) throw damaged(`a row of ${table} is not whole`);
      rows.push(values);
      bytes += values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
      if (rows.length >= ROWS_A_WRITE || bytes >= BYTES_A_WRITE) await flush();
    },
    async finish() {
      await flush();
      // The parts of the history must be there before its events.
      if (table === 'event_periods') {
        await admin.script('select create_event_period(period) from event_periods');
      }
    },
  };
}

function insertRows(table: string, columns: readonly BackupColumn[]) {
  const names = columns.map(([column]) => `"${column}"`);
  const values = columns.map(([column, type]) => `u."${column}"::${type}`);
  return statement({
    name: `restore_${table}`,
    args: (rows: readonly (readonly BackupValue[])[]) => rows,
    row: z.strictObject({}),
    sql: `
    insert into "${table}" (${names.join(', ')})
    select ${values.join(', ')}
      from unnest(${columns.map((_, at) => `$${at + 1}::text[]`).join(', ')})
        as u (${names.join(', ')})`,
  });
}
