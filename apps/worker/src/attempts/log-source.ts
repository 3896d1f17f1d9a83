import { statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** A growing sequence of bytes that can be read from any offset. */
export interface LogSource {
  /** Empty when there is nothing at `offset` yet; `isComplete`: nothing will come after what was read. */
  read(
    offset: number,
    bytesMax: number,
  ): Promise<{ readonly data: Uint8Array; readonly isComplete: boolean }>;
  close(): Promise<void>;
}

/** A file that its owner writes: who writes it says how long it is, and when it is complete. */
export class FileSource implements LogSource {
  readonly #path: string;
  #opening: Promise<FileHandle> | undefined;
  length: number;
  isComplete: boolean;

  /** With `whole` the file is complete as it is now, or empty when there is none. */
  constructor(path: string, whole = false) {
    this.#path = path;
    this.length = whole ? (statSync(path, { throwIfNoEntry: false })?.size ?? 0) : 0;
    this.isComplete = whole;
  }

  async read(offset: number, bytesMax: number): ReturnType<LogSource['read']> {
    // Before the read: what is complete now cannot grow while it is read.
    const { isComplete, length } = this;
    const wanted = Math.max(0, Math.min(bytesMax, length - offset));
    if (wanted === 0) return { data: new Uint8Array(), isComplete: isComplete && offset >= length };
    this.#opening ??= open(this.#path, 'r');
    const data = Buffer.alloc(wanted);
    const { bytesRead } = await (await this.#opening).read(data, 0, wanted, offset);
    return {
      data: data.subarray(0, bytesRead),
      isComplete: isComplete && offset + bytesRead >= length,
    };
  }

  async close(): Promise<void> {
    const handle = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    await handle?.close();
  }
}

/** A complete source and what comes after it, as one sequence. */
export function inOrder(first: FileSource, then: LogSource): LogSource {
  return {
    async read(offset, bytesMax) {
      if (offset >= first.length) return then.read(offset - first.length, bytesMax);
      const { data } = await first.read(offset, bytesMax);
      return { data, isComplete: false };
    },
    async close() {
      await first.close();
      await then.close();
    },
  };
}
