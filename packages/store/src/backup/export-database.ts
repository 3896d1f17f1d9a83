import type { Db } from '../db.ts';
import { dumpDatabase } from './dump-database.ts';

/** Columns that no other program has a use for: hashes of secrets. */
const KEPT_BACK: ReadonlySet<string> = new Set([
  'api_keys.key_hash',
  'web_sessions.token_hash',
  'login_codes.code_hash',
  'workers.key_hash',
  'join_tokens.token_hash',
]);
/** Of no use outside the database: answers to repeated requests, and who is logged in. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'idempotency_keys',
  'web_sessions',
  'login_codes',
  'meta',
]);

/**
 * Every row as one line of JSON for other programs: `{"table": "runs", "row": {...}}`, in one consistent
 * snapshot. Documents and numbers are JSON, everything else is text; no secrets, no blobs, no way back.
 * Resolves with the number of rows.
 */
export async function exportDatabase(
  db: Db,
  write: (line: string) => Promise<void> | void,
): Promise<number> {
  let table = '';
  let columns: readonly (readonly [name: string, type: string])[] = [];
  let rows = 0;
  const noBlobs = {
    find: () => Promise.resolve(undefined),
    open: () => Promise.reject(new Error('an export has no blobs')),
  };
  await dumpDatabase(db, noBlobs, async (record) => {
    if (record.kind === 'table') ({ table, columns } = record);
    if (record.kind !== 'row' || LEFT_OUT.has(table)) return;
    const row: Record<string, unknown> = {};
    for (const [index, [name, type]] of columns.entries()) {
      if (!KEPT_BACK.has(`${table}.${name}`)) row[name] = valueOf(record.values[index], type);
    }
    rows += 1;
    await write(`${JSON.stringify({ table, row })}\n`);
  });
  return rows;
}

function valueOf(text: string | null | undefined, type: string): unknown {
  if (text === null || text === undefined) return null;
  switch (type) {
    case 'json':
    case 'jsonb':
      return JSON.parse(text);
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double precision':
      return Number(text);
    case 'boolean':
      return text === 'true' || text === 't';
    default:
      return text;
  }
}
