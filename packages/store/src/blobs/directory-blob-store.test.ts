import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlobStore } from './blob-store.ts';
import { openDirectoryBlobStore } from './directory-blob-store.ts';

let directory: string;
let blobs: BlobStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-blobs-'));
  blobs = await openDirectoryBlobStore(directory);
});
afterEach(() => rm(directory, { recursive: true }));

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const pathOf = (sha256: string): string =>
  join(directory, sha256.slice(0, 2), sha256.slice(2, 4), sha256);

describe('a blob', () => {
  test('is stored under its sha256 and read back', async () => {
    const bytes = randomBytes(300_000);
    const ref = await blobs.put(bytes);
    expect(ref).toEqual({ sha256: digest(bytes), size: bytes.length });
    expect(await buffer(await blobs.get(ref.sha256))).toEqual(bytes);
    expect(await blobs.find(ref.sha256)).toEqual(ref);
    expect((await stat(pathOf(ref.sha256))).size).toBe(bytes.length);
  });

  test('may come as a stream', async () => {
    const bytes = randomBytes(1_000_000);
    const { sha256 } = await blobs.put(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]));
    expect(sha256).toBe(digest(bytes));
    expect(await buffer(await blobs.get(sha256, { verify: true }))).toEqual(bytes);
  });

  test('may be empty', async () => {
    const { sha256, size } = await blobs.put(new Uint8Array());
    expect([size, await buffer(await blobs.get(sha256, { verify: true }))]).toEqual([
      0,
      Buffer.alloc(0),
    ]);
  });

  test('stored many times at once is one file', async () => {
    const bytes = randomBytes(1000);
    await Promise.all(Array.from({ length: 10 }, () => blobs.put(bytes)));
    const files = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([
      digest(bytes),
    ]);
  });

  test('can be read in part', async () => {
    const { sha256 } = await blobs.put(Buffer.from('0123456789'));
    const part = await blobs.get(sha256, { start: 2, end: 5 });
    expect((await buffer(part)).toString()).toBe('234');
    const rest = await blobs.get(sha256, { start: 8 });
    expect((await buffer(rest)).toString()).toBe('89');
  });

  test('that was damaged fails when it is verified', async () => {
    const { sha256 } = await blobs.put(Buffer.from('right'));
    await writeFile(pathOf(sha256), 'wrong');
    await expect(buffer(await blobs.get(sha256, { verify: true }))).rejects.toThrow(/damaged/);
  });

  test('that is removed is gone, and removing it again is fine', async () => {
    const { sha256 } = await blobs.put(Buffer.from('x'));
    await blobs.remove(sha256);
    await blobs.remove(sha256);
    expect(await blobs.has(sha256)).toBe(false);
    await expect(blobs.get(sha256)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('what is no address', () => {
  test.each(['', '..', '../../etc/passwd', 'A'.repeat(64)])('%j finds nothing', async (sha256) => {
    expect(await blobs.has(sha256)).toBe(false);
    await blobs.remove(sha256);
    await expect(blobs.get(sha256)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('an interrupted writer', () => {
  test('leaves nothing when its source fails', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('the worker went away');
    };
    await expect(blobs.put(failing())).rejects.toThrow('the worker went away');
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
  });

  test('leaves nothing when its source is too large', async () => {
    await expect(blobs.put(randomBytes(11), { bytesMax: 10 })).rejects.toMatchObject({
      code: 'body_too_large',
    });
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    expect((await blobs.put(randomBytes(10), { bytesMax: 10 })).size).toBe(10);
  });

  test('has its leftovers removed a day later', async () => {
    const old = join(directory, 'tmp', 'old');
    await writeFile(old, 'x');
    await writeFile(join(directory, 'tmp', 'new'), 'x');
    const before = Date.now() / 1000 - 2 * 24 * 60 * 60;
    await utimes(old, before, before);
    await openDirectoryBlobStore(directory);
    expect(await readdir(join(directory, 'tmp'))).toEqual(['new']);
  });
});
