import { z } from 'zod';
import type { AdminSession, Db } from '../db.ts';
import { appliedMigrations } from '../migrate.ts';
import { holdContent } from '../blobs/content-hold.ts';
import { statement } from '../statement.ts';
import { feedHead } from '../statements/events.ts';
import type { BackupBlobs } from './backup-blobs.ts';
import { BACKUP_FORMAT, type BackupRecord, type BackupTotals } from './backup-record.ts';
import { listStoredTables, type StoredTable } from './table-list.ts';

/** Where a dump's records go; resolves when there is room for the next. */
export type BackupSink = (record: BackupRecord) => Promise<void> | void;

interface Content {
  readonly project: string;
  readonly sha256: string;
}

/** Rows fetched at a time: few enough that even rows of the largest size fit into memory. */
const ROWS_A_FETCH = 100;
const BLOBS_A_PAGE = 1_000;

export const listBlobRefs = statement({
  name: 'listBlobRefs',
  args: (after: string) => [after, BLOBS_A_PAGE],
  row: z.strictObject({ id: z.string(), project: z.string(), sha256: z.string() }),
  sql: `
    select id, project_id as project, sha256
      from artifacts
     where id > $1
     order by id
     limit $2`,
});

/**
 * Gives everything that a database holds to `sink`, in one consistent snapshot, then the blobs that the
 * artifacts in it name (a blob that never came is left out); none is removed meanwhile. On the embedded database nothing else runs while
 * the rows are read; a server goes on working. Memory stays bounded but for the addresses of the blobs.
 * @throws {StoreError}
 */
export async function dumpDatabase(
  db: Db,
  blobs: Pick<BackupBlobs, 'find' | 'open'>,
  sink: BackupSink,
): Promise<BackupTotals> {
  return holdContent(db, async () => {
    const { rows, contents } = await db.exclusive((admin) =>
      inSnapshot(admin, async () => {
        const dumped = await dumpRows(db, admin, sink);
        return { rows: dumped, contents: await listContents(admin) };
      }),
    );
    const count = await dumpBlobs(contents, blobs, sink);
    await sink({ kind: 'end', rows, blobs: count });
    return { rows, blobs: count };
  });
}

async function inSnapshot<T>(admin: AdminSession, work: () => Promise<T>): Promise<T> {
  await admin.script('begin isolation level repeatable read, read only');
  try {
    return await work();
  } finally {
    await admin.script('rollback');
  }
}

async function dumpRows(db: Db, admin: AdminSession, sink: BackupSink): Promise<number> {
  const head = await feedHead(admin);
  const migrations = await admin.query(appliedMigrations);
  await sink({
    kind: 'header',
    header: {
      format: BACKUP_FORMAT,
      createdAt: new Date(head.nowMs).toISOString(),
      from: db.kind,
      migrations: migrations.map(({ name }) => name),
      incarnation: head.incarnation,
      pos: head.pos,
    },
  });
  let rows = 0;
  for (const table of await listStoredTables(admin)) {
    await sink({ kind: 'table', table: table.name, columns: table.columns });
    rows += await dumpTable(admin, table, sink);
  }
  return rows;
}

async function dumpTable(
  admin: AdminSession,
  { name, columns }: StoredTable,
  sink: BackupSink,
): Promise<number> {
  const values = columns.map(([column]) => `"${column}"::text`).join(', ');
  await admin.script(
    `declare backup_rows no scroll cursor for select array[${values}] as values from "${name}"`,
  );
  let rows = 0;
  for (;;) {
    const fetched = await admin.query(fetchRows);
    for (const row of fetched) await sink({ kind: 'row', values: row.values });
    rows += fetched.length;
    if (fetched.length < ROWS_A_FETCH) break;
  }
  await admin.script('close backup_rows');
  return rows;
}

/** Not prepared ahead by anybody: the cursor is there only within a dump. */
const fetchRows = statement({
  name: 'fetchBackupRows',
  args: () => [],
  row: z.strictObject({ values: z.array(z.string().nullable()) }),
  sql: `fetch ${ROWS_A_FETCH} from backup_rows`,
});

/** What the artifacts of the snapshot name, each once. */
async function listContents(admin: AdminSession): Promise<ReadonlyMap<string, Content>> {
  const found = new Map<string, Content>();
  let after = '';
  for (;;) {
    const page = await admin.query(listBlobRefs, after);
    for (const { project, sha256 } of page) found.set(`${project}/${sha256}`, { project, sha256 });
    const last = page.at(-1);
    if (last === undefined || page.length < BLOBS_A_PAGE) return found;
    after = last.id;
  }
}

async function dumpBlobs(
  contents: ReadonlyMap<string, Content>,
  blobs: Pick<BackupBlobs, 'find' | 'open'>,
  sink: BackupSink,
): Promise<number> {
  let count = 0;
  for (const { project, sha256 } of contents.values()) {
    const size = await blobs.find(project, sha256);
    if (size === undefined) continue;
    count += 1;
    await sink({ kind: 'blob', project, sha256, size });
    const content = await blobs.open(project, sha256);
    for await (const bytes of content) await sink({ kind: 'bytes', bytes: bytes as Uint8Array });
  }
  return count;
}
