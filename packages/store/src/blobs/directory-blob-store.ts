// Blobs as files `ab/cd/<sha256>`. A blob is written to `tmp`, forced to disk, then renamed: a file that
// has its final name is whole, also after a power cut.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { AppError } from '@baton/contract';
import { syncDirectory } from '../directory-sync.ts';
import type { BlobRange, BlobRef, BlobSource, BlobStore } from './blob-store.ts';

const SHA256 = /^[0-9a-f]{64}$/;
/** Where blobs lie that are about to be removed. */
const ASIDE = 'aside';
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

/** Opens, or makes, a blob store in a directory; removes what interrupted writers left a day ago. */
export async function openDirectoryBlobStore(directory: string): Promise<BlobStore> {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await mkdir(join(directory, ASIDE), { recursive: true, mode: 0o700 });
  await removeLeftovers(temporary);
  return new DirectoryBlobStore(directory, temporary);
}

class DirectoryBlobStore implements BlobStore {
  readonly #directory: string;
  readonly #temporary: string;

  constructor(directory: string, temporary: string) {
    this.#directory = directory;
    this.#temporary = temporary;
  }

  async put(source: BlobSource, options: { readonly bytesMax?: number } = {}): Promise<BlobRef> {
    const path = join(this.#temporary, randomBytes(12).toString('hex'));
    try {
      const ref = await writeWhole(path, source, options.bytesMax ?? Infinity);
      const target = this.#pathOf(ref.sha256);
      await this.#makeFolders(target);
      await rename(path, target);
      await syncDirectory(dirname(target));
      return ref;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async get(sha256: string, options: BlobRange = {}): Promise<Readable> {
    const handle = await this.#open(sha256);
    const { start = 0, end = Infinity } = options;
    const stream = handle.createReadStream({ start, ...(end < Infinity && { end: end - 1 }) });
    if (options.verify !== true) return stream;
    const verified = verifier(sha256);
    stream.once('error', (error) => verified.destroy(error));
    verified.once('close', () => stream.destroy());
    return stream.pipe(verified);
  }

  async find(sha256: string): Promise<BlobRef | undefined> {
    if (!SHA256.test(sha256)) return undefined;
    const found =
      (await stat(this.#pathOf(sha256)).catch(ignoreMissing)) ??
      (await stat(this.#asideOf(sha256)).catch(ignoreMissing));
    return found === undefined ? undefined : { sha256, size: found.size };
  }

  async has(sha256: string): Promise<boolean> {
    if (!SHA256.test(sha256)) return false;
    return (await stat(this.#pathOf(sha256)).catch(ignoreMissing)) !== undefined;
  }

  async remove(sha256: string): Promise<void> {
    if (!SHA256.test(sha256)) return;
    await rm(this.#pathOf(sha256), { force: true });
  }

  async setAside(sha256: string): Promise<boolean> {
    if (!SHA256.test(sha256)) return false;
    return moved(this.#pathOf(sha256), this.#asideOf(sha256));
  }

  async putBack(sha256: string): Promise<void> {
    if (!SHA256.test(sha256)) return;
    const target = this.#pathOf(sha256);
    if (await moved(this.#asideOf(sha256), target)) await syncDirectory(dirname(target));
  }

  async dropAside(sha256: string): Promise<void> {
    if (SHA256.test(sha256)) await rm(this.#asideOf(sha256), { force: true });
  }

  async listAside(): Promise<readonly string[]> {
    return (await readdir(join(this.#directory, ASIDE))).filter((name) => SHA256.test(name));
  }

  #asideOf(sha256: string): string {
    return join(this.#directory, ASIDE, sha256);
  }

  #pathOf(sha256: string): string {
    return join(this.#directory, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  }

  async #open(sha256: string): Promise<FileHandle> {
    const handle = SHA256.test(sha256)
      ? ((await open(this.#pathOf(sha256), 'r').catch(ignoreMissing)) ??
        (await open(this.#asideOf(sha256), 'r').catch(ignoreMissing)))
      : undefined;
    if (handle !== undefined) return handle;
    throw new AppError('not_found', `There is no blob ${sha256}.`, { detail: { sha256 } });
  }

  /** A new folder is durable once the one above it is forced to disk. */
  async #makeFolders(target: string): Promise<void> {
    const inner = dirname(target);
    const outer = dirname(inner);
    if ((await mkdir(inner, { recursive: true, mode: 0o700 })) === undefined) return;
    await syncDirectory(outer);
    await syncDirectory(this.#directory);
  }
}

async function writeWhole(path: string, source: BlobSource, bytesMax: number): Promise<BlobRef> {
  const hash = createHash('sha256');
  let size = 0;
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      size += chunk.length;
      if (size > bytesMax) {
        throw new AppError('body_too_large', `The file is larger than ${bytesMax} bytes.`, {
          detail: { bytes_max: bytesMax },
        });
      }
      hash.update(chunk);
      await writeAll(handle, chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), size };
}

/** Renames a file; false when there is none. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return false;
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    offset += (await handle.write(chunk, offset)).bytesWritten;
  }
}

function verifier(sha256: string): Transform {
  const hash = createHash('sha256');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const isSame = hash.digest('hex') === sha256;
      done(isSame ? null : new Error(`blob ${sha256} is damaged: its content has another sha256`));
    },
  });
}

async function removeLeftovers(temporary: string): Promise<void> {
  const before = Date.now() - LEFTOVER_AGE_MS;
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const found = await stat(path).catch(ignoreMissing);
    if (found !== undefined && found.mtimeMs < before) await rm(path, { force: true });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
