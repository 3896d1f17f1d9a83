// Backup, restore and move with the data of a real run: what comes out is what went in, row by row.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  auditBlobs,
  auditDatabase,
  directoryBlobs,
  dumpDatabase,
  exportDatabase,
  findEpochs,
  moveDatabase,
  readBackupFile,
  restoreDatabase,
  verifyBackupFile,
  writeBackupFile,
  type BackupBlobs,
  type Db,
} from '@baton/store';
import { freshDatabases, type FreshDatabase, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUSY_ARTIFACT, makeBusyState, type BusyState } from './testing/busy-state.ts';

const noBlobs: BackupBlobs = {
  find: () => Promise.resolve(undefined),
  open: () => Promise.reject(new Error('no blobs')),
  put: () => Promise.reject(new Error('no blobs')),
};

/** Every row of every table as text, sorted; the incarnation is told apart, because it must differ. */
async function contentOf(db: Db): Promise<{ rows: string[]; incarnation: number }> {
  const rows: string[] = [];
  let incarnation = 0;
  let table = '';
  let columns: string[] = [];
  await dumpDatabase(db, noBlobs, (record) => {
    if (record.kind === 'header') ({ incarnation } = record.header);
    if (record.kind === 'table') {
      table = record.table;
      columns = record.columns.map(([name]) => name);
    }
    if (record.kind !== 'row') return;
    const values = record.values.map((value, index) =>
      columns[index] === 'incarnation' && table !== 'workers' ? '(incarnation)' : value,
    );
    rows.push(`${table} ${JSON.stringify(values)}`);
  });
  return { rows: rows.toSorted(), incarnation };
}

const [pglite, postgres] = freshDatabases() as [FreshDatabase, FreshDatabase];

let directory: string;
let source: OpenDatabase;
let busy: BusyState;
let blobs: BackupBlobs;
let file: string;
let before: Awaited<ReturnType<typeof contentOf>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-backup-'));
  source = await pglite.open();
  busy = await makeBusyState(source.db);
  blobs = directoryBlobs(join(directory, 'blobs'));
  const sha256 = createHash('sha256').update(BUSY_ARTIFACT).digest('hex');
  const bytes = async function* () {
    yield BUSY_ARTIFACT;
  };
  await blobs.put(busy.project, sha256, bytes());
  // A second part of the history, as after a day.
  await source.db.exclusive((admin) =>
    admin.script(`
      select create_event_period(2);
      insert into event_periods select 2, next_pos, now() from feed;
      update feed set period = 2`),
  );
  await makeBusyState(source.db);
  file = join(directory, 'first.backup');
  await writeBackupFile(file, (sink) => dumpDatabase(source.db, blobs, sink));
  before = await contentOf(source.db);
});
afterAll(async () => {
  await source?.close();
  await rm(directory, { recursive: true, force: true });
});

for (const target of [pglite, postgres]) {
  describe.skipIf(target.isSkipped)(`a backup of PGlite restored into ${target.title}`, () => {
    let opened: OpenDatabase;
    beforeAll(async () => {
      opened = await target.open({ isMigrated: false });
    });
    afterAll(() => opened?.close());

    test('holds every row, every blob, and passes the audit', async () => {
      const restored = directoryBlobs(join(directory, `blobs-${target.name}`));
      const report = await restoreDatabase(opened.db, restored, readBackupFile(file));
      const after = await contentOf(opened.db);
      expect(after.rows).toEqual(before.rows);
      expect(report).toMatchObject({ rows: before.rows.length, blobs: 1 });
      const findings = await auditDatabase(opened.db);
      expect(findings.filter(({ count }) => count > 0)).toEqual([]);
      const [missing] = [
        await auditBlobs(opened.db, (project, sha256) => restored.find(project, sha256)),
      ];
      // The second busy state announced the same content in a project of its own and never stored it.
      expect(missing.faults).toHaveLength(1);
    });

    test('gives out epochs and cursors that the time before never gave', async () => {
      const after = await contentOf(opened.db);
      expect(after.incarnation).toBeGreaterThan(before.incarnation);
      const next = await makeBusyState(opened.db);
      const epochs = [...(await findEpochs(opened.db, [...next.attempts.values()])).values()];
      const floor = after.incarnation * 2 ** 32;
      expect(epochs.length).toBeGreaterThan(0);
      expect(epochs.filter((epoch) => epoch < floor)).toEqual([]);
    });

    test('is refused where something is already', async () => {
      await expect(restoreDatabase(opened.db, noBlobs, readBackupFile(file))).rejects.toMatchObject(
        { code: 'not_empty' },
      );
    });
  });
}

describe.skipIf(postgres.isSkipped)('moving from PGlite to PostgreSQL', () => {
  test('loses nothing, and moving back neither', async () => {
    const there = await postgres.open({ isMigrated: false });
    const back = await pglite.open({ isMigrated: false });
    try {
      const report = await moveDatabase({ db: source.db, blobs }, { db: there.db });
      expect(report.incarnation).toBeGreaterThan(before.incarnation);
      expect((await contentOf(there.db)).rows).toEqual(before.rows);
      await moveDatabase({ db: there.db, blobs }, { db: back.db });
      expect((await contentOf(back.db)).rows).toEqual(before.rows);
      expect((await auditDatabase(back.db)).filter(({ count }) => count > 0)).toEqual([]);
    } finally {
      await there.close();
      await back.close();
    }
  });
});

describe('a backup file', () => {
  let empty: OpenDatabase;
  beforeAll(async () => {
    empty = await pglite.open();
  });
  afterAll(() => empty?.close());

  test('tells what it holds', async () => {
    const { header, rows, blobs: count } = await verifyBackupFile(file);
    expect({ from: header.from, rows, count }).toEqual({
      from: 'pglite',
      rows: before.rows.length,
      count: 1,
    });
  });

  test('is never written over another', async () => {
    await expect(
      writeBackupFile(file, (sink) => dumpDatabase(source.db, blobs, sink)),
    ).rejects.toMatchObject({ code: 'already_exists' });
    await verifyBackupFile(file);
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('whose making fails leaves nothing', async () => {
    const path = join(directory, 'failed.backup');
    await expect(
      writeBackupFile(path, async (sink) => {
        await sink({ kind: 'row', values: ['x'] });
        throw new Error('the database went away');
      }),
    ).rejects.toThrow('the database went away');
    expect((await readdir(directory)).filter((name) => name.startsWith('failed'))).toEqual([]);
  });

  test.each([
    ['cut in the middle', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['cut at its end', (bytes: Buffer) => bytes.subarray(0, -40)],
    ['empty', () => Buffer.alloc(0)],
    ['no backup at all', () => Buffer.from('{"format": "baton-backup/v1"}\n')],
    [
      'changed in one byte',
      (bytes: Buffer) => {
        const changed = Buffer.from(bytes);
        changed[bytes.length >> 1] = (changed[bytes.length >> 1] ?? 0) ^ 1;
        return changed;
      },
    ],
  ])('that is %s is refused, and nothing is restored', async (what, damage) => {
    const path = join(directory, `${what.replaceAll(' ', '-')}.damaged`);
    await writeFile(path, damage(await readFile(file)));
    await expect(verifyBackupFile(path)).rejects.toMatchObject({ code: 'backup_damaged' });
    await expect(
      restoreDatabase(empty.db, directoryBlobs(join(directory, 'half')), readBackupFile(path)),
    ).rejects.toMatchObject({ code: 'backup_damaged' });
  });

  test('whose text was changed and packed again is refused by its checksum', async () => {
    const path = join(directory, 'forged.damaged');
    const text = gunzipSync(await readFile(file)).toString();
    await writeFile(path, gzipSync(text.replace('Mind the gap', 'Mind the cap')));
    await expect(verifyBackupFile(path)).rejects.toThrow(/checksum/);
  });
});

test('a restore that was interrupted is simply done again', async () => {
  const opened = await pglite.open();
  const parts = readBackupFile(file);
  async function* half() {
    let rows = 0;
    for await (const record of parts) {
      if (record.kind === 'row' && (rows += 1) > before.rows.length / 2) throw new Error('power');
      yield record;
    }
  }
  try {
    const again = directoryBlobs(join(directory, 'again'));
    await expect(restoreDatabase(opened.db, again, half())).rejects.toThrow('power');
    const report = await restoreDatabase(opened.db, again, readBackupFile(file));
    expect(report.rows).toBe(before.rows.length);
  } finally {
    await opened.close();
  }
});

test('an export has every run and no secret', async () => {
  const lines: string[] = [];
  await exportDatabase(source.db, (line) => void lines.push(line));
  const rows = lines.map((text) => JSON.parse(text) as { table: string; row: { id?: string } });
  expect(rows.filter(({ table }) => table === 'runs').map(({ row }) => row.id)).toContain(busy.run);
  expect(lines.join('')).not.toMatch(/_hash"/);
});
