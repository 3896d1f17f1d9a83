import { migrate, openPglite, openPostgres, type Db } from '@baton/store';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { serverUrl } from './settings.ts';

/** A database of one measurement. */
export interface BenchDatabase {
  readonly db: Db;
  readonly close: () => Promise<void>;
}

/** The embedded database in a fresh directory, with real fsync as always. */
export async function freshPglite(): Promise<BenchDatabase> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  const db = await openPglite({ dataDir: join(dir, 'db') });
  await migrate(db);
  return {
    db,
    async close() {
      await db.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A new database on the server of `serverUrl`, and its URL for peers. */
export async function freshPostgres(
  serverUrl: string,
): Promise<BenchDatabase & { readonly url: string }> {
  const { url, drop } = await newDatabase(serverUrl);
  const db = await openPostgres({ url });
  await migrate(db);
  return {
    db,
    url,
    async close() {
      await db.close();
      await drop();
    },
  };
}

/** An empty database for a peer. */
export async function newDatabase(
  serverUrl: string,
): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql);
    await client.end();
  };
  await admin(`create database ${name}`);
  return {
    url: withDatabase(serverUrl, name),
    drop: () => admin(`drop database if exists ${name} with (force)`),
  };
}

/** The same server, another database; also for URLs that name a socket folder. */
function withDatabase(url: string, name: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
}

/** Measures on an embedded database of its own. */
export async function onPglite<T>(measure: (db: Db) => Promise<T>): Promise<T> {
  return using(await freshPglite(), measure);
}

/** Measures on a database of its own on the server. */
export async function onPostgres<T>(measure: (db: Db) => Promise<T>): Promise<T> {
  return using(await freshPostgres(serverUrl), measure);
}

async function using<T>({ db, close }: BenchDatabase, measure: (db: Db) => Promise<T>): Promise<T> {
  try {
    return await measure(db);
  } finally {
    await close();
  }
}
