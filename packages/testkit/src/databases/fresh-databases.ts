import type { Db } from '@baton/store';
import { freshPglite } from './fresh-pglite.ts';
import { freshPostgres } from './fresh-postgres.ts';

/** How a test wants its database. */
export interface FreshOptions {
  /** False leaves out the migrations; true by default. */
  readonly isMigrated?: boolean;
  /** True forces every commit to disk, as in production; false by default, which is faster. */
  readonly isDurable?: boolean;
}

/** A database of one's own, open. */
export interface OpenDatabase {
  /** Compares every row with the shape that its statement declares. */
  readonly db: Db;
  /** The data directory or the URL: what another process needs to open the same database. */
  readonly location: string;
  /** Opens the same database again, after `db.close()` where only one may have it open. */
  reopen(): Promise<Db>;
  /** Closes everything that was opened here and removes the database. */
  close(): Promise<void>;
}

/** One kind of database that tests run on. */
export interface FreshDatabase {
  readonly name: Db['kind'];
  /** The name, and the reason when it is skipped: the title of a suite. */
  readonly title: string;
  readonly isSkipped: boolean;
  open(options?: FreshOptions): Promise<OpenDatabase>;
}

/**
 * Both kinds of database, for suites that run on both:
 *
 *     for (const database of freshDatabases()) {
 *       describe.skipIf(database.isSkipped)(`feed on ${database.title}`, () => {
 *         let opened: OpenDatabase;
 *         beforeAll(async () => { opened = await database.open(); });
 *         afterAll(() => opened.close());
 *
 * PGlite is copied from a template, made once per set of migrations. PostgreSQL is a database of its own
 * on the server of `BATON_TEST_DATABASE_URL` (a superuser's URL); without it the suite is skipped.
 */
export function freshDatabases(): readonly FreshDatabase[] {
  return [freshPglite(), freshPostgres(process.env['BATON_TEST_DATABASE_URL'])];
}
