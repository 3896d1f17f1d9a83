import type { Readable } from 'node:stream';

/** A stored blob: its address and its size in bytes. */
export interface BlobRef {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly size: number;
}

/** Large bytes outside the database, addressed by their content. Putting the same bytes twice is one blob. */
export interface BlobStore {
  /**
   * Stores bytes; durable when it resolves. A source that fails leaves nothing behind.
   * @throws {AppError} `body_too_large` beyond `bytesMax`
   */
  put(source: BlobSource, options?: { readonly bytesMax?: number }): Promise<BlobRef>;
  /**
   * The bytes, from `start` to before `end` where given. With `verify` (whole blobs only) the stream
   * fails at its end when they are not what was stored.
   * @throws {AppError} `not_found`
   */
  get(sha256: string, options?: BlobRange): Promise<Readable>;
  /** The blob's size; undefined when there is none. */
  find(sha256: string): Promise<BlobRef | undefined>;
  has(sha256: string): Promise<boolean>;
  /** Idempotent. */
  remove(sha256: string): Promise<void>;
}

/** Bytes at once or as they come. */
export type BlobSource = Uint8Array | AsyncIterable<Uint8Array>;

/** Which bytes to read; `start` counts from 0, `end` is the first one left out. */
export interface BlobRange {
  readonly verify?: boolean;
  readonly start?: number;
  readonly end?: number;
}
