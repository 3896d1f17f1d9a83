// A backup is a sequence of records: a header, the tables with their rows, the blobs with their bytes,
// an end that counts. Rows are text as PostgreSQL prints it, so that nothing is lost on the way from one
// database to another. A file holds them as lines of JSON, compressed; see `backup-file.ts`.

/** Format of this version. A later one that older readers would misread gets another name. */
export const BACKUP_FORMAT = 'baton-backup/v1';

/** What a backup says of itself. */
export interface BackupHeader {
  readonly format: typeof BACKUP_FORMAT;
  readonly createdAt: string;
  /** Kind of database it was taken from. */
  readonly from: 'pglite' | 'postgres';
  /** Migrations of that database, in order. */
  readonly migrations: readonly string[];
  readonly incarnation: number;
  /** Newest position of the feed. */
  readonly pos: number;
}

/** A column: its name and its SQL type. */
export type BackupColumn = readonly [name: string, type: string];

/** One value of a row as PostgreSQL prints it; null is NULL. */
export type BackupValue = string | null;

/** One part of a backup. `rows` belong to the `table` before them, `bytes` to the `blob`. */
export type BackupRecord =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'table'; readonly table: string; readonly columns: readonly BackupColumn[] }
  | { readonly kind: 'row'; readonly values: readonly BackupValue[] }
  | {
      readonly kind: 'blob';
      readonly project: string;
      readonly sha256: string;
      readonly size: number;
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly rows: number; readonly blobs: number };

/** What a backup held, once it was written or read to its end. */
export interface BackupTotals {
  readonly rows: number;
  readonly blobs: number;
}
