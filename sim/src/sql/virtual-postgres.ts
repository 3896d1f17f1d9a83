import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openPglite, TABLES, type AdminSession } from '@baton/store';

/**
 * The clock of the database is one that the simulation moves: functions of these names stand before those
 * of the system.
 */
const VIRTUAL_CLOCK = `
  create schema virtual;
  create function virtual.clock_timestamp() returns timestamptz language sql volatile as
    'select ''epoch''::timestamptz + current_setting(''virtual.now_ms'')::float8 * interval ''1 millisecond''';
  create function virtual.statement_timestamp() returns timestamptz language sql volatile as
    'select ''epoch''::timestamptz + current_setting(''virtual.now_ms'')::float8 * interval ''1 millisecond''';
  set search_path = virtual, pg_catalog, public;
  set virtual.now_ms = '0'`;

/** An embedded database whose time is virtual. */
export interface VirtualPostgres {
  readonly admin: AdminSession;
  /** As it was when it was made: without a row, at the beginning of the feed. */
  clear(): Promise<void>;
}

/** Runs `work` with an embedded database in a directory of its own, which is removed afterwards. */
export async function withVirtualPostgres<T>(
  work: (postgres: VirtualPostgres) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-sim-'));
  const db = await openPglite({ dataDir, unsafeDurability: true, checkRows: true });
  try {
    await migrate(db);
    return await db.exclusive(async (admin) => {
      await admin.script(VIRTUAL_CLOCK);
      return work({ admin, clear: () => clear(admin) });
    });
  } finally {
    await db.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function clear(admin: AdminSession): Promise<void> {
  const tables = Object.values(TABLES).map((it) => it.sqlName);
  // A simulation that found something ends in the middle of a transaction.
  await admin.script('rollback');
  await admin.script(`
    truncate ${tables.join(', ')}, events, idempotency_keys, purged_ids cascade;
    update feed set next_pos = 1, incarnation = 1, last_at = 'epoch', mark = ''`);
}
