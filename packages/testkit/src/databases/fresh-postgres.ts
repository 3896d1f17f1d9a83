import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { migrate, openPostgres, statement, type Db } from '@baton/store';
import type { FreshDatabase, FreshOptions, OpenDatabase } from './fresh-databases.ts';
import { migrationsDigest } from './migrations-digest.ts';
import { openDatabase } from './open-database.ts';

const TEMPLATE_LOCK = 4_271_906_319;

const findDatabase = statement({
  name: 'findDatabase',
  args: (name: string) => [name],
  row: z.strictObject({ datname: z.string() }),
  sql: `select datname from pg_database where datname = $1`,
});

/** A database of its own on the server of `adminUrl`; skipped when that is not set. */
export function freshPostgres(adminUrl: string | undefined): FreshDatabase {
  if (adminUrl === undefined || adminUrl === '') {
    return {
      name: 'postgres',
      title: 'PostgreSQL (skipped: BATON_TEST_DATABASE_URL is not set)',
      isSkipped: true,
      open: () => Promise.reject(new Error('BATON_TEST_DATABASE_URL is not set')),
    };
  }
  return {
    name: 'postgres',
    title: 'PostgreSQL',
    isSkipped: false,
    open: (options) => open(adminUrl, options),
  };
}

async function open(adminUrl: string, options: FreshOptions = {}): Promise<OpenDatabase> {
  const template = await templateOf(adminUrl, options.isMigrated !== false);
  const name = `baton_test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, (admin) => script(admin, `create database ${name} template ${template}`));
  return openDatabase({
    location: urlOf(adminUrl, name),
    open: () => connect(urlOf(adminUrl, name)),
    remove: () =>
      asAdmin(adminUrl, (admin) => script(admin, `drop database if exists ${name} with (force)`)),
  });
}

/** Made by the first test that needs it; the others, in whatever process, wait. */
async function templateOf(adminUrl: string, isMigrated: boolean): Promise<string> {
  if (!isMigrated) return 'template0';
  const template = `baton_template_${await migrationsDigest()}`;
  await asAdmin(adminUrl, (admin) =>
    admin.exclusive(async (session) => {
      await session.script(`select pg_advisory_lock(${TEMPLATE_LOCK})`);
      if ((await session.query(findDatabase, template)).length > 0) return;
      const building = `${template}_building`;
      await session.script(`drop database if exists ${building} with (force)`);
      await session.script(`create database ${building} template template0`);
      const db = await connect(urlOf(adminUrl, building));
      try {
        await migrate(db);
      } finally {
        await db.close();
      }
      await session.script(`alter database ${building} rename to ${template}`);
    }),
  );
  return template;
}

function connect(url: string): Promise<Db> {
  return openPostgres({ url, checkRows: true, unsafeDurability: true });
}

async function asAdmin<T>(adminUrl: string, work: (admin: Db) => Promise<T>): Promise<T> {
  const admin = await connect(adminUrl);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

function script(admin: Db, sql: string): Promise<void> {
  return admin.exclusive((session) => session.script(sql));
}

/** The same server, another database. */
function urlOf(adminUrl: string, database: string): string {
  return adminUrl.replace(/^(postgres(?:ql)?:\/\/[^/?]*)(?:\/[^?]*)?/, `$1/${database}`);
}
