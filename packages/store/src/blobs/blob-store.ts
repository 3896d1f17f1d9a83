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
  /** The blob's size; undefined when there is none, in its place or set aside. */
  find(sha256: string): Promise<BlobRef | undefined>;
  /** Whether it is in its place: then it need not be put again. */
  has(sha256: string): Promise<boolean>;
  /** Idempotent. For what nobody else can be putting at the same time; else see `removeLoose`. */
  remove(sha256: string): Promise<void>;
  /** Takes a blob out of its place, so that it has to be put again; it can still be read. False: none. */
  setAside(sha256: string): Promise<boolean>;
  /** Gives a blob that was set aside its place again. Idempotent. */
  putBack(sha256: string): Promise<void>;
  /** Removes a blob that was set aside, and nothing else. Idempotent. */
  dropAside(sha256: string): Promise<void>;
  /** Blobs that are set aside: somebody is about to remove them, or was interrupted. */
  listAside(): Promise<readonly string[]>;
}

/**
 * Removes a blob that nothing refers to, also while others store the same bytes again. It is set aside
 * first and only then is it looked at whether it `isLoose`: who has referred to it before that look gets it
 * back, and who does so later finds no blob and puts it anew. False: it was kept.
 */
export async function removeLoose(
  store: BlobStore,
  sha256: string,
  isLoose: () => Promise<boolean>,
): Promise<boolean> {
  await store.setAside(sha256);
  if (await isLoose()) {
    await store.dropAside(sha256);
    return true;
  }
  await store.putBack(sha256);
  return false;
}

/** Bytes at once or as they come. */
export type BlobSource = Uint8Array | AsyncIterable<Uint8Array>;

/** Which bytes to read; `start` counts from 0, `end` is the first one left out. */
export interface BlobRange {
  readonly verify?: boolean;
  readonly start?: number;
  readonly end?: number;
}
