/** Bytes of artifacts, by project and sha256: knowing a hash gives nobody another project's file. */
export interface Content {
  has(project: string, sha256: string): Promise<boolean>;
  /** Stores what comes if it is `size` bytes with that sha256. @throws {AppError} bad_request */
  put(
    project: string,
    sha256: string,
    size: number,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Idempotent. */
  remove(project: string, sha256: string): Promise<void>;
  /** Undefined when it is not stored. */
  open(project: string, sha256: string): Promise<ReadableStream<Uint8Array> | undefined>;
}
