import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '@baton/contract';
import { openDirectoryBlobStore, removeLoose, type BlobStore } from '@baton/store';
import type { Content } from '../content.ts';

/** Bytes of artifacts below a directory, one blob store a project. */
export function createContent(directory: string): Content {
  const stores = new Map<string, Promise<BlobStore>>();

  function storeOf(project: string): Promise<BlobStore> {
    let store = stores.get(project);
    if (store === undefined) {
      store = openDirectoryBlobStore(join(directory, project));
      stores.set(project, store);
    }
    return store;
  }

  return {
    has: async (project, sha256) => (await storeOf(project)).has(sha256),
    async put(project, sha256, size, bytes) {
      // The store keeps nothing of a source that fails, so what is wrong never gets an address.
      await (await storeOf(project)).put(checked(bytes, sha256, size), { bytesMax: size });
    },
    removeLoose: async (project, sha256, isLoose) =>
      removeLoose(await storeOf(project), sha256, isLoose),
    async settleAside(isLoose) {
      for (const { name: project } of await projectsIn(directory)) {
        const store = await storeOf(project);
        for (const sha256 of await store.listAside()) {
          await removeLoose(store, sha256, () => isLoose({ project, sha256 }));
        }
      }
    },
    async open(project, sha256) {
      const store = await storeOf(project);
      if (!(await store.has(sha256))) return undefined;
      return Readable.toWeb(
        await store.get(sha256, { verify: true }),
      ) as ReadableStream<Uint8Array>;
    },
  };
}

async function projectsIn(directory: string): Promise<readonly Dirent[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return [];
    },
  );
  return found.filter((entry) => entry.isDirectory());
}

async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  sha256: string,
  size: number,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let received = 0;
  for await (const piece of bytes) {
    hash.update(piece);
    received += piece.length;
    if (received > size) break;
    yield piece;
  }
  if (received === size && hash.digest('hex') === sha256) return;
  throw new AppError(
    'bad_request',
    `The content is not what was announced: ${size} bytes with the sha256 ${sha256}.`,
    { detail: { size, sha256 } },
  );
}
