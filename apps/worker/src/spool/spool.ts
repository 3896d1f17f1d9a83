import { watch, type FSWatcher } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { findExit, type ExitFile } from '../supervisor/records.ts';
import { attemptPaths } from './attempt-dir.ts';
import { Waiters } from './waiters.ts';

/** Which output of an agent. */
export type SpoolStream = 'stdout' | 'stderr';

/** Bytes of one stream from `offset` on. `isComplete`: the stream ends at `nextOffset`, for ever. */
export interface SpoolChunk {
  readonly stream: SpoolStream;
  readonly offset: number;
  readonly data: Buffer;
  readonly nextOffset: number;
  readonly isComplete: boolean;
}

/** Reads what a supervisor writes; knows nothing of the supervisor but its files. */
export interface Spool {
  /** At most `bytesMax` bytes; an empty chunk when there is nothing at `offset` yet. */
  read(stream: SpoolStream, offset: number, bytesMax?: number): Promise<SpoolChunk>;
  /** Chunks from `offset` on as they are written, the last one with `isComplete`. Ends early with `signal`. */
  follow(
    stream: SpoolStream,
    offset: number,
    options?: { readonly signal?: AbortSignal; readonly bytesMax?: number },
  ): AsyncGenerator<SpoolChunk>;
  /** The exit record; undefined while the agent runs. */
  exit(): ExitFile | undefined;
  close(): Promise<void>;
}

const CHUNK_BYTES_DEFAULT = 64 * 1024;
/** Watching may miss a change (network file systems, full queues): this often we look ourselves. */
const POLL_MS = 250;

/** Opens the spool of an attempt; its files need not exist yet. The caller closes it. */
export function openSpool(attemptDir: string): Spool {
  const paths = attemptPaths(attemptDir);
  const handles = new Map<SpoolStream, Promise<FileHandle | undefined>>();
  const signals = new ChangeSignal(attemptDir);

  const handleOf = async (stream: SpoolStream): Promise<FileHandle | undefined> => {
    const opening = handles.get(stream) ?? open(paths[stream], 'r').catch(() => undefined);
    handles.set(stream, opening);
    const handle = await opening;
    if (handle === undefined) handles.delete(stream);
    return handle;
  };

  const read = async (
    stream: SpoolStream,
    offset: number,
    bytesMax = CHUNK_BYTES_DEFAULT,
  ): Promise<SpoolChunk> => {
    // The exit record first: once it is there, no byte is added, so an end seen after it is the end.
    const exit = findExit(attemptDir);
    const handle = await handleOf(stream);
    const buffer = Buffer.allocUnsafe(bytesMax);
    const bytesRead =
      handle === undefined ? 0 : (await handle.read(buffer, 0, bytesMax, offset)).bytesRead;
    const nextOffset = offset + bytesRead;
    const endOffset = exit?.[`${stream}_bytes`];
    return {
      stream,
      offset,
      data: buffer.subarray(0, bytesRead),
      nextOffset,
      isComplete: endOffset !== undefined && nextOffset >= endOffset,
    };
  };

  return {
    read,
    async *follow(stream, offset, { signal, bytesMax } = {}) {
      for (let at = offset; signal?.aborted !== true;) {
        const changed = signals.next();
        const chunk = await read(stream, at, bytesMax);
        at = chunk.nextOffset;
        if (chunk.data.byteLength > 0 || chunk.isComplete) yield chunk;
        if (chunk.isComplete) return;
        if (chunk.data.byteLength === 0) await changed(POLL_MS, signal);
      }
    },
    exit: () => findExit(attemptDir),
    async close() {
      signals.close();
      for (const opening of handles.values()) await (await opening)?.close();
      handles.clear();
    },
  };
}

/** Tells when something in a directory changed; polling covers what the system does not report. */
class ChangeSignal {
  readonly #dir: string;
  readonly #waiting = new Waiters();
  #watcher: FSWatcher | undefined;
  #changes = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** A wait for the first change after this call, even one that comes before the wait begins. */
  next(): (waitMs: number, signal?: AbortSignal) => Promise<void> {
    this.#start();
    const seen = this.#changes;
    return async (waitMs, signal) => {
      if (this.#changes === seen) await this.#waiting.wait(waitMs, signal);
    };
  }

  close(): void {
    this.#watcher?.close();
    this.#waiting.wake();
  }

  #start(): void {
    if (this.#watcher !== undefined) return;
    try {
      this.#watcher = watch(this.#dir, { persistent: false }, () => {
        this.#changes += 1;
        this.#waiting.wake();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No watch to be had (too many): polling alone is slower, not wrong.
    }
  }
}
