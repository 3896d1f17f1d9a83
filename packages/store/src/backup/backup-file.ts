// Records as lines of JSON, compressed: the header, `{"table", "columns"}`, a list a row,
// `{"blob": {...}}`, `{"bytes": base64}`, and at the end `{"end": {rows, blobs, sha256}}`, where sha256
// is that of everything before, so that a file that was cut or changed is found out.
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { AppError } from '@baton/contract';
import { z } from 'zod';
import { syncDirectory, syncFile } from '../directory-sync.ts';
import type { BACKUP_FORMAT, BackupHeader, BackupRecord, BackupTotals } from './backup-record.ts';
import type { BackupSink } from './dump-database.ts';
import { damaged } from './restore-database.ts';

/** Level 1: a backup is mostly waited for, and text shrinks well at any level. */
const GZIP_LEVEL = 1;

/**
 * Writes what `fill` gives it to a file. The file has its name only once it is whole and on disk; one of
 * that name is not replaced.
 * @throws {AppError} `already_exists` when there is such a file
 */
export async function writeBackupFile(
  path: string,
  fill: (sink: BackupSink) => Promise<BackupTotals>,
): Promise<BackupTotals> {
  const aside = `${path}.part`;
  const file = createWriteStream(aside, { flags: 'w', mode: 0o600 });
  const gzip = createGzip({ level: GZIP_LEVEL });
  const written = pipeline(gzip, file);
  // A full disk fails the file: whoever waits for room in the compressor must learn of it.
  let failure: Error | undefined;
  written.catch((error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const hash = createHash('sha256');
  try {
    const totals = await fill(async (record) => {
      const line = encodeLine(record, hash);
      if (failure !== undefined) throw failure;
      if (!gzip.write(line)) await Promise.race([once(gzip, 'drain'), written]);
    });
    gzip.end();
    await written;
    await syncFile(aside);
    await linkOnce(aside, path);
    return totals;
  } catch (error) {
    const cause = failure ?? error;
    gzip.destroy();
    await written.catch(() => undefined);
    await rm(aside, { force: true });
    throw cause;
  }
}

async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new AppError('already_exists', `${to} is there already; name another file.`);
  }
  await rm(from);
  await syncDirectory(dirname(to));
}

function encodeLine(record: BackupRecord, hash: Hash): string {
  if (record.kind === 'end') {
    const sha256 = hash.digest('hex');
    return `${JSON.stringify({ end: { rows: record.rows, blobs: record.blobs, sha256 } })}\n`;
  }
  const line = `${JSON.stringify(lineOf(record))}\n`;
  hash.update(line);
  return line;
}

function lineOf(record: Exclude<BackupRecord, { kind: 'end' }>): unknown {
  switch (record.kind) {
    case 'header':
      return record.header;
    case 'table':
      return { table: record.table, columns: record.columns };
    case 'row':
      return record.values;
    case 'blob':
      return { blob: { project: record.project, sha256: record.sha256, size: record.size } };
    case 'bytes':
      return { bytes: Buffer.from(record.bytes).toString('base64') };
  }
}

const header = z.object({
  format: z.custom<typeof BACKUP_FORMAT>((it) => typeof it === 'string'),
  createdAt: z.string(),
  from: z.enum(['pglite', 'postgres']),
  migrations: z.array(z.string()),
  incarnation: z.int(),
  pos: z.int(),
});
const line = z.union([
  z.array(z.string().nullable()),
  z.strictObject({
    table: z.string().regex(/^[a-z_][a-z0-9_]*$/),
    columns: z.array(
      z.tuple([z.string().regex(/^[a-z_][a-z0-9_]*$/), z.string().regex(/^[a-z0-9 ()[\],"]+$/i)]),
    ),
  }),
  z.strictObject({
    blob: z.strictObject({ project: z.string(), sha256: z.string(), size: z.int() }),
  }),
  z.strictObject({ bytes: z.string() }),
  z.strictObject({
    end: z.strictObject({ rows: z.int(), blobs: z.int(), sha256: z.string() }),
  }),
]);

/**
 * The records of a file, one after the other. The last one comes only if all before it are as they
 * were written. @throws {AppError} `backup_damaged`
 */
export async function* readBackupFile(path: string): AsyncGenerator<BackupRecord> {
  const hash = createHash('sha256');
  let isEnded = false;
  let isFirst = true;
  for await (const text of linesOf(path)) {
    if (isEnded) throw damaged('there is more behind its end');
    const { record, sha256 } = isFirst ? headerOf(text) : recordOf(text);
    isFirst = false;
    if (sha256 === undefined) {
      hash.update(`${text}\n`);
    } else {
      if (hash.digest('hex') !== sha256) throw damaged('its checksum differs');
      isEnded = true;
    }
    yield record;
  }
  if (!isEnded) throw damaged('it ends too early');
}

/** Reads a file to its end and tells what it is. @throws {AppError} `backup_damaged` */
export async function verifyBackupFile(
  path: string,
): Promise<BackupTotals & { readonly header: BackupHeader }> {
  let found: BackupHeader | undefined;
  for await (const record of readBackupFile(path)) {
    if (record.kind === 'header') found = record.header;
    if (record.kind === 'end' && found !== undefined) {
      return { header: found, rows: record.rows, blobs: record.blobs };
    }
  }
  throw damaged('it is empty');
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const unzipped = file.pipe(createGunzip());
  file.once('error', (error) => unzipped.destroy(error));
  try {
    for await (const text of createInterface({ input: unzipped, crlfDelay: Infinity })) yield text;
    // The reader of lines does not tell of an error that comes after the last whole line.
    await finished(unzipped);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new AppError('not_found', `There is no file ${path}.`);
    if (code?.startsWith('Z_') === true || code === 'ERR_STREAM_PREMATURE_CLOSE') {
      throw damaged('it cannot be unpacked', error);
    }
    throw error;
  } finally {
    file.destroy();
    unzipped.destroy();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged('a line is not readable', error);
  }
}

/** What a line says; the last one also has the checksum of those before it. */
interface Line {
  readonly record: BackupRecord;
  readonly sha256?: string;
}

function headerOf(text: string): Line {
  const read = header.safeParse(parsed(text));
  if (!read.success) throw damaged('it does not begin as a backup does');
  return { record: { kind: 'header', header: read.data } };
}

function recordOf(text: string): Line {
  const value = parsed(text);
  // Rows are nearly all of it: they are looked at without a schema.
  if (Array.isArray(value) && value.every((it) => it === null || typeof it === 'string')) {
    return { record: { kind: 'row', values: value as (string | null)[] } };
  }
  const read = line.safeParse(value);
  if (!read.success || Array.isArray(read.data)) throw damaged('a line is not understood');
  const found = read.data;
  if ('table' in found) return { record: { kind: 'table', ...found } };
  if ('blob' in found) return { record: { kind: 'blob', ...found.blob } };
  if ('bytes' in found) {
    return { record: { kind: 'bytes', bytes: Buffer.from(found.bytes, 'base64') } };
  }
  const { rows, blobs, sha256 } = found.end;
  return { record: { kind: 'end', rows, blobs }, sha256 };
}
