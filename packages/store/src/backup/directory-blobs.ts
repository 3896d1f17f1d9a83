import { join } from 'node:path';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openDirectoryBlobStore } from '../blobs/directory-blob-store.ts';
import type { BackupBlobs } from './backup-blobs.ts';
import { damaged } from './restore-database.ts';

/** Names of projects are folders below the directory, so nothing else may be one. */
const PROJECT = /^[A-Za-z0-9_-]{1,64}$/;

/** The blobs below a directory, one store a project, as the control plane keeps them. */
export function directoryBlobs(directory: string): BackupBlobs {
  const stores = new Map<string, Promise<BlobStore>>();
  const storeOf = (project: string): Promise<BlobStore> => {
    if (!PROJECT.test(project)) throw damaged(`${JSON.stringify(project)} is no project`);
    let store = stores.get(project);
    if (store === undefined) {
      store = openDirectoryBlobStore(join(directory, project));
      stores.set(project, store);
    }
    return store;
  };
  return {
    async find(project, sha256) {
      return (await (await storeOf(project)).find(sha256))?.size;
    },
    async open(project, sha256) {
      return (await storeOf(project)).get(sha256, { verify: true });
    },
    async put(project, sha256, bytes) {
      const store = await storeOf(project);
      const stored = await store.put(bytes);
      if (stored.sha256 === sha256) return;
      await store.remove(stored.sha256);
      throw damaged(`the content of blob ${sha256} is another one`);
    },
  };
}
