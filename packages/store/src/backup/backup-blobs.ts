import type { Readable } from 'node:stream';

/** The blobs of all projects, as far as a backup is concerned. */
export interface BackupBlobs {
  /** Size in bytes; undefined when it is not there. */
  find(project: string, sha256: string): Promise<number | undefined>;
  /** Its bytes, verified as they are read. */
  open(project: string, sha256: string): Promise<Readable>;
  /** Stores bytes under their address. @throws when they are not what it says */
  put(project: string, sha256: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}
