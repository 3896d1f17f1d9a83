import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { bind, statement } from '../statement.ts';
import type { StoreError } from '../store-error.ts';
import { openPglite, PGLITE_POSTGRES_MAJOR, type PgliteDb } from './pglite.ts';

const insertRow = statement({
  name: 'insertRow',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into written (id) values ($1)`,
});
const countRows = statement({
  name: 'countRows',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `select count(*) as count from written`,
});
const settings = statement({
  name: 'settings',
  args: () => [],
  row: z.strictObject({
    fsync: z.string(),
    commit: z.string(),
    method: z.string(),
    major: z.string(),
  }),
  sql: `
    select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
           current_setting('wal_sync_method') as method,
           split_part(current_setting('server_version'), '.', 1) as major`,
});
const sleepFor = statement({
  name: 'sleepFor',
  args: (seconds: number) => [seconds],
  row: z.looseObject({}),
  sql: `select 1 as slept from pg_sleep($1::float8)`,
});

const failureOf = (promise: Promise<unknown>): Promise<StoreError> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as StoreError,
  );

const pglite = freshDatabases().find(({ name }) => name === 'pglite');
if (pglite === undefined) throw new Error('there is no PGlite');
const openDurable = async (): Promise<OpenDatabase & { readonly db: PgliteDb }> => {
  const opened = await pglite.open({ isMigrated: false, isDurable: true });
  await opened.db.exclusive((admin) => admin.script('create table written (id int primary key)'));
  return opened as OpenDatabase & { readonly db: PgliteDb };
};

describe('durability', () => {
  let opened: OpenDatabase & { readonly db: PgliteDb };
  beforeAll(async () => {
    opened = await openDurable();
  });
  afterAll(() => opened?.close());

  test('is switched on in the database', async () => {
    expect(await opened.db.query(settings)).toEqual([
      { fsync: 'on', commit: 'on', method: 'fsync', major: PGLITE_POSTGRES_MAJOR },
    ]);
  });

  test('forces each commit to disk, and no read', async () => {
    const before = (await opened.db.stats()).fileSyncs;
    for (let id = 0; id < 20; id += 1) {
      await opened.db.transaction((tx) => tx.commitWith([bind(insertRow, id)]));
    }
    const written = (await opened.db.stats()).fileSyncs;
    expect(written - before).toBeGreaterThanOrEqual(20);
    for (let read = 0; read < 20; read += 1) await opened.db.query(countRows);
    expect((await opened.db.stats()).fileSyncs).toBe(written);
  });

  test('forces data files and directories to disk at a checkpoint', async () => {
    const before = await opened.db.stats();
    await opened.db.exclusive((admin) =>
      admin.script('create table other (id int); insert into other values (1); checkpoint'),
    );
    const after = await opened.db.stats();
    expect(after.fileSyncs - before.fileSyncs).toBeGreaterThan(2);
  });

  test('reaches the system: each commit is an fsync call', async (context) => {
    if (spawnSync('strace', ['-V']).error !== undefined) context.skip('strace is not installed');
    const syncs = await tracedSyncs(opened.location, 50);
    if (syncs === undefined) context.skip('strace may not trace here');
    expect(syncs).toBeGreaterThanOrEqual(50);
  });

  test('is off only when that was asked for', async () => {
    const other = await pglite.open({ isMigrated: false });
    const db = other.db as PgliteDb;
    await db.exclusive((admin) => admin.script('create table written (id int primary key)'));
    await db.query(insertRow, 1);
    expect(await db.stats()).toEqual({ fileSyncs: 0, directorySyncs: 0 });
    await other.close();
  });

  /** Closes `opened.db`, runs a process under strace that commits `commits` rows, counts its fsync calls. */
  async function tracedSyncs(dataDir: string, commits: number): Promise<number | undefined> {
    await opened.db.close();
    const log = join(dataDir, 'strace.log');
    const program = `
      import { openPglite } from ${JSON.stringify(new URL('pglite.ts', import.meta.url).href)};
      const db = await openPglite({ dataDir: ${JSON.stringify(dataDir)} });
      await db.exclusive(async (admin) => {
        for (let id = 1000; id < ${1000 + commits}; id += 1) {
          await admin.script('insert into written values (' + id + ')');
        }
      });
      process.kill(process.pid, 'SIGKILL');`;
    spawnSync(
      'strace',
      [
        ...['-f', '-qq', '-e', 'trace=fsync', '-o', log, process.execPath],
        ...['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', program],
      ],
      { cwd: fileURLToPath(new URL('.', import.meta.url)) },
    );
    const text = await readFile(log, 'utf8').catch(() => '');
    return text === '' ? undefined : (text.match(/fsync\(\d+/g)?.length ?? 0);
  }
});

describe('a data directory', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'baton-pglite-test-'));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  test('is made at the first start, over the remains of an interrupted one', async () => {
    await mkdir(join(dataDir, 'a', 'postgres.new'), { recursive: true });
    await writeFile(join(dataDir, 'a', 'postgres.new', 'PG_VERSION'), '18');
    const db = await openPglite({ dataDir: join(dataDir, 'a') });
    expect((await db.query(settings))[0]?.fsync).toBe('on');
    await db.close();
  });

  test('that is open is refused to a second opener, with the owner', async () => {
    const opened = await openDurable();
    await expect(openPglite({ dataDir: opened.location })).rejects.toMatchObject({
      code: 'data_dir_in_use',
      publicDetail: { owner_pid: process.pid },
    });
    await opened.db.query(insertRow, 1);
    await opened.close();
  });

  test('of another PostgreSQL is refused, and stays free', async () => {
    const cluster = join(dataDir, 'old', 'postgres');
    await mkdir(cluster, { recursive: true });
    await writeFile(join(cluster, 'PG_VERSION'), '17\n');
    for (let round = 0; round < 2; round += 1) {
      await expect(openPglite({ dataDir: join(dataDir, 'old') })).rejects.toMatchObject({
        code: 'data_dir_version',
        publicDetail: { found: 'PostgreSQL 17', expected: PGLITE_POSTGRES_MAJOR },
      });
    }
  });

  test('that is damaged is refused with what the database says, and stays free', async () => {
    const cluster = join(dataDir, 'damaged', 'postgres');
    await mkdir(cluster, { recursive: true });
    await writeFile(join(cluster, 'PG_VERSION'), `${PGLITE_POSTGRES_MAJOR}\n`);
    for (let round = 0; round < 2; round += 1) {
      await expect(openPglite({ dataDir: join(dataDir, 'damaged') })).rejects.toMatchObject({
        code: 'store_unavailable',
      });
    }
  });
});

describe('a crash of the database thread', () => {
  let opened: OpenDatabase & { readonly db: PgliteDb };
  beforeAll(async () => {
    opened = await openDurable();
  });
  afterAll(() => opened?.close());

  test('fails what was running as retryable, and the next use opens it again', async () => {
    await opened.db.query(insertRow, 1);
    const running = failureOf(
      opened.db.transaction(async (tx) => {
        await tx.query(insertRow, 2);
        await opened.db.crash();
        await tx.query(insertRow, 3);
      }),
    );
    expect(await running).toMatchObject({ kind: 'retryable' });
    expect(await opened.db.query(countRows)).toEqual([{ count: 1 }]);
  });

  test('while COMMIT is under way leaves an unknown outcome that can be looked up', async () => {
    let committing: Promise<unknown> | undefined;
    const failure = failureOf(
      opened.db.transaction(async (tx) => {
        await tx.query(insertRow, 10);
        committing = tx.commitWith([bind(sleepFor, 60), bind(insertRow, 11)]);
        // It may be told before it is asked for.
        committing.catch(() => undefined);
        await opened.db.crash();
        return committing;
      }),
    );
    const { kind, xid } = await failure;
    expect(kind).toBe('unknown_outcome');
    expect(await opened.db.outcomeOf(xid ?? '')).toBe('aborted');
    expect(await opened.db.query(countRows)).toEqual([{ count: 1 }]);
  });

  test('leaves an unknown outcome of every write under way', async () => {
    const before = await opened.db.query(countRows);
    const sent = [30, 31].map((id) =>
      failureOf(opened.db.writeWhole([bind(sleepFor, 60), bind(insertRow, id)])),
    );
    // They have been handed to the thread once this turn of the event loop is over.
    await new Promise(setImmediate);
    await opened.db.crash();
    for (const failure of sent) expect(await failure).toMatchObject({ kind: 'unknown_outcome' });
    expect(await opened.db.query(countRows)).toEqual(before);
    await opened.db.writeWhole([bind(insertRow, 30)]);
  });

  test('during a single write leaves an unknown outcome', async () => {
    const slowWrite = statement({
      name: 'slowWrite',
      args: (id: number) => [id],
      row: z.strictObject({}),
      sql: `insert into written (id) select $1::int from pg_sleep(60)`,
    });
    const write = failureOf(opened.db.query(slowWrite, 20));
    // The write has been handed to the thread once this turn of the event loop is over.
    await new Promise(setImmediate);
    await opened.db.crash();
    expect((await write).kind).toBe('unknown_outcome');
  });
});
