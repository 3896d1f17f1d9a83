import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** Bytes that may still be written, shared by the streams of one attempt. */
export interface SpoolBudget {
  bytesLeft: number;
}

/**
 * Appends one output stream to its file; the offset of a byte is its place in the file, for ever.
 * Writes are synchronous: the page cache takes them in microseconds, order is trivial, and a slow
 * disk slows the agent instead of filling memory. What does not fit is counted and marked in place.
 */
export class SpoolWriter {
  readonly #fd: number;
  readonly #budget: SpoolBudget;
  readonly #limitBytes: number;
  #bytes = 0;
  #dropped = 0;
  #unmarked = 0;
  #full = false;

  constructor(path: string, budget: SpoolBudget) {
    this.#fd = openSync(path, 'ax', 0o600);
    this.#budget = budget;
    this.#limitBytes = budget.bytesLeft;
  }

  /** Size of the file: the offset of the next byte. */
  get bytes(): number {
    return this.#bytes;
  }

  get droppedBytes(): number {
    return this.#dropped;
  }

  write(chunk: Uint8Array): void {
    if (this.#full) {
      this.#dropped += chunk.byteLength;
      return;
    }
    const fitting = Math.min(chunk.byteLength, this.#budget.bytesLeft);
    if (this.#unmarked > 0) this.#mark(`${this.#unmarked} bytes lost: the disk refused them`);
    this.#append(chunk.subarray(0, fitting));
    if (fitting === chunk.byteLength) return;
    this.#dropped += chunk.byteLength - fitting;
    this.#full = true;
    this.#mark(`output limit of ${this.#limitBytes} bytes reached: the rest is dropped`);
  }

  /** Resolves when every byte is on disk; the writer is then closed. */
  async close(): Promise<void> {
    try {
      await promisify(fsync)(this.#fd);
    } finally {
      closeSync(this.#fd);
    }
  }

  #append(bytes: Uint8Array): void {
    let offset = 0;
    try {
      while (offset < bytes.byteLength) offset += writeSync(this.#fd, bytes, offset);
    } catch {
      this.#unmarked += bytes.byteLength - offset;
      this.#dropped += bytes.byteLength - offset;
    }
    this.#bytes += offset;
    this.#budget.bytesLeft -= offset;
  }

  #mark(text: string): void {
    const line = Buffer.from(`\n[baton: ${text}]\n`);
    try {
      this.#bytes += writeSync(this.#fd, line);
      this.#unmarked = 0;
    } catch {
      // Still no room: tried again with the next chunk.
    }
  }
}
