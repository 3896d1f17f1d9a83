import { closeSync, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** Bytes that may still be written, shared by the streams of one attempt. */
export interface SpoolBudget {
  bytesLeft: number;
}

/** What a writer is lent; all of it has a default. */
export interface SpoolWriterOptions {
  /** Told when it gets stuck on a full disk, and when it goes on. */
  readonly onStuck?: () => void;
  /** Writes as `writeSync` does. */
  readonly write?: (fd: number, bytes: Uint8Array, offset: number) => number;
}

/** Between two looks whether a full disk has room. */
const ROOM_LOOK_MS = 250;

/**
 * Appends one output stream to its file; the offset of a byte is its place in the file, for ever.
 * Writes are synchronous: the page cache takes them in microseconds, order is trivial, and a slow
 * disk slows the agent instead of filling memory. On a full disk it is stuck: it keeps what it was given
 * and tries again, and its source is to wait. What a limit or a broken disk refuses is counted and marked
 * in place.
 */
export class SpoolWriter {
  readonly #fd: number;
  readonly #budget: SpoolBudget;
  readonly #limitBytes: number;
  readonly #options: SpoolWriterOptions;
  #bytes = 0;
  #dropped = 0;
  #unmarked = 0;
  #full = false;
  /** What found no room yet, in order. */
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void)[] = [];

  constructor(path: string, budget: SpoolBudget, options: SpoolWriterOptions = {}) {
    this.#fd = openSync(path, 'ax', 0o600);
    this.#budget = budget;
    this.#limitBytes = budget.bytesLeft;
    this.#options = options;
  }

  /** Size of the file: the offset of the next byte. */
  get bytes(): number {
    return this.#bytes;
  }

  get droppedBytes(): number {
    return this.#dropped;
  }

  /** It waits for room on the disk. */
  get isStuck(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a chunk; it may be used again afterwards. False: give no more until `room` resolves. */
  write(chunk: Uint8Array): boolean {
    if (this.#full) {
      this.#dropped += chunk.byteLength;
      return true;
    }
    if (this.isStuck) {
      this.#waiting.push(Uint8Array.from(chunk));
      return false;
    }
    this.#take(chunk);
    return !this.isStuck;
  }

  /** Resolves when nothing waits any more. */
  async room(): Promise<void> {
    if (this.isStuck) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Resolves when every byte is on disk; the writer is then closed. What still finds no room is given up. */
  async close(): Promise<void> {
    this.#goOn();
    clearTimeout(this.#timer);
    for (const chunk of this.#waiting.splice(0)) this.#dropped += chunk.byteLength;
    this.#tellRoom();
    try {
      await promisify(fsync)(this.#fd);
    } finally {
      closeSync(this.#fd);
    }
  }

  #take(chunk: Uint8Array): void {
    const fitting = Math.min(chunk.byteLength, this.#budget.bytesLeft);
    if (this.#unmarked > 0) this.#mark(`${this.#unmarked} bytes lost: the disk refused them`);
    const written = this.#append(chunk.subarray(0, fitting));
    if (written < fitting) {
      this.#waiting.unshift(Uint8Array.from(chunk.subarray(written)));
      this.#waitForRoom();
      return;
    }
    if (fitting === chunk.byteLength) return;
    this.#dropped += chunk.byteLength - fitting;
    this.#full = true;
    this.#mark(`output limit of ${this.#limitBytes} bytes reached: the rest is dropped`);
  }

  /** Answers how many bytes are dealt with: fewer than there are when the disk is full. */
  #append(bytes: Uint8Array): number {
    const write = this.#options.write ?? writeSync;
    let offset = 0;
    try {
      while (offset < bytes.byteLength) offset += write(this.#fd, bytes, offset);
    } catch (error) {
      if (!isFull(error)) {
        this.#unmarked += bytes.byteLength - offset;
        this.#dropped += bytes.byteLength - offset;
        this.#note(offset);
        return bytes.byteLength;
      }
    }
    this.#note(offset);
    return offset;
  }

  #note(written: number): void {
    this.#bytes += written;
    this.#budget.bytesLeft -= written;
  }

  #waitForRoom(): void {
    if (this.#timer !== undefined) return;
    this.#options.onStuck?.();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#goOn();
      if (this.isStuck) this.#waitForRoom();
      else this.#tellRoom();
    }, ROOM_LOOK_MS);
  }

  #goOn(): void {
    for (const chunk of this.#waiting.splice(0)) this.write(chunk);
  }

  #tellRoom(): void {
    this.#options.onStuck?.();
    for (const wake of this.#wake.splice(0)) wake();
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

/** No room, for anybody or for this user: there may be some again. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
