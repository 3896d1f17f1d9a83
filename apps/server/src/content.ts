/** Bytes of artifacts, by project and sha256: knowing a hash gives nobody another project's file. */
export interface Content {
  /** Whether it need not be stored again. True after a row that refers to it was committed: it stays. */
  has(project: string, sha256: string): Promise<boolean>;
  /** Stores what comes if it is `size` bytes with that sha256. @throws {AppError} bad_request */
  put(
    project: string,
    sha256: string,
    size: number,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Removes what nothing refers to, also while others store the same again; see `removeLoose` of the store. */
  removeLoose(project: string, sha256: string, isLoose: () => Promise<boolean>): Promise<boolean>;
  /** Goes through what interrupted removals left aside. */
  settleAside(
    isLoose: (content: { readonly project: string; readonly sha256: string }) => Promise<boolean>,
  ): Promise<void>;
  /** Undefined when it is not stored. */
  open(project: string, sha256: string): Promise<ReadableStream<Uint8Array> | undefined>;
}
