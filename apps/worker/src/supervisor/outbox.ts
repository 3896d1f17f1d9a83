import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { writeAll } from '../spool/durable-file.ts';
import { Waiters } from '../spool/waiters.ts';
import { isFull } from './spool-writer.ts';

/** One request of the agent, as it stands in `outbox.jsonl`. `seq` counts from 1 without gaps. */
export interface OutboxEntry {
  readonly seq: number;
  /** Chosen by the agent's client; the same id is the same request. */
  readonly id: string;
  readonly kind: string;
  readonly body: unknown;
  readonly at: string;
}

/** The daemon's answer to a request: an HTTP status and the body for it. */
export interface OutboxAnswer {
  readonly id: string;
  readonly status: number;
  readonly body: unknown;
}

/** What came of handing in a request. */
export type Accepted =
  | { readonly ok: true; readonly entry: OutboxEntry }
  | {
      readonly ok: false;
      readonly code: 'idempotency_conflict' | 'limit_exceeded' | 'storage_full';
    };

const ENTRIES_MAX = 10_000;
const BYTES_MAX = 64 * 1024 * 1024;
const syncData = promisify(fdatasync);

/**
 * Requests of one agent and their answers, both kept on disk. A request is accepted only once it is
 * synced, so that neither a crash of the supervisor nor of the daemon loses it.
 */
export class Outbox {
  readonly #fd: number;
  readonly #answersPath: string;
  readonly #write: typeof writeAll;
  readonly #entries: OutboxEntry[] = [];
  readonly #digests = new Map<string, { readonly digest: string; readonly entry: OutboxEntry }>();
  readonly #answers = new Map<string, OutboxAnswer>();
  readonly #watchers = new Waiters();
  #bytes = 0;
  #synced = 0;
  #syncing: Promise<void> | undefined;

  constructor(path: string, answersPath: string, write = writeAll) {
    this.#fd = openSync(path, 'ax', 0o600);
    this.#write = write;
    this.#answersPath = answersPath;
  }

  /** Puts a request on disk. The same id with the same content gives the entry it already has. */
  async accept(id: string, kind: string, body: unknown): Promise<Accepted> {
    const digest = createHash('sha256')
      .update(JSON.stringify([kind, body]))
      .digest('hex');
    const known = this.#digests.get(id);
    if (known !== undefined && known.digest !== digest) {
      return { ok: false, code: 'idempotency_conflict' };
    }
    if (known !== undefined) {
      await this.#syncUpTo(known.entry.seq);
      return { ok: true, entry: known.entry };
    }
    const at = new Date().toISOString();
    const entry = { seq: this.#entries.length + 1, id, kind, body, at };
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    if (this.#entries.length >= ENTRIES_MAX || this.#bytes + line.byteLength > BYTES_MAX) {
      return { ok: false, code: 'limit_exceeded' };
    }
    if (!this.#append(line)) return { ok: false, code: 'storage_full' };
    this.#bytes += line.byteLength;
    this.#entries.push(entry);
    this.#digests.set(id, { digest, entry });
    await this.#syncUpTo(entry.seq);
    this.wake();
    return { ok: true, entry };
  }

  /** False when the disk is full; then nothing of it is there. */
  #append(line: Uint8Array): boolean {
    try {
      this.#write(this.#fd, line);
      return true;
    } catch (error) {
      ftruncateSync(this.#fd, this.#bytes);
      if (isFull(error)) return false;
      throw error;
    }
  }

  find(id: string): OutboxEntry | undefined {
    return this.#digests.get(id)?.entry;
  }

  findAnswer(id: string): OutboxAnswer | undefined {
    return this.#answers.get(id);
  }

  /** Requests with `seq > after` that are on disk, each with its answer if it has one. */
  list(after: number): readonly (OutboxEntry & { readonly answer?: OutboxAnswer })[] {
    return this.#entries.slice(after, this.#synced).map((entry) => {
      const answer = this.#answers.get(entry.id);
      return answer === undefined ? entry : { ...entry, answer };
    });
  }

  /** Keeps an answer and wakes who waits for it. The first answer stands; false for an unknown id. */
  answer(answer: OutboxAnswer): boolean {
    if (!this.#digests.has(answer.id)) return false;
    if (this.#answers.has(answer.id)) return true;
    this.#answers.set(answer.id, answer);
    appendFileSync(this.#answersPath, `${JSON.stringify(answer)}\n`, { mode: 0o600 });
    this.wake();
    return true;
  }

  /** Resolves at the next change, after `waitMs`, or when `signal` fires; whichever comes first. */
  async changed(waitMs: number, signal: AbortSignal): Promise<void> {
    await this.#watchers.wait(waitMs, signal);
  }

  /** Ends every wait of `changed`, so that its caller looks again. */
  wake(): void {
    this.#watchers.wake();
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** One sync serves all requests that arrived while the one before it ran. */
  async #syncUpTo(seq: number): Promise<void> {
    while (this.#synced < seq) {
      this.#syncing ??= this.#sync();
      await this.#syncing;
    }
  }

  async #sync(): Promise<void> {
    const upTo = this.#entries.length;
    try {
      await syncData(this.#fd);
      this.#synced = upTo;
    } finally {
      this.#syncing = undefined;
    }
  }
}

/** The requests of an attempt whose supervisor has ended, with their answers, from the files alone. */
export function readOutbox(
  outboxPath: string,
  answersPath: string,
): readonly (OutboxEntry & { readonly answer?: OutboxAnswer })[] {
  const answers = new Map<string, OutboxAnswer>();
  for (const answer of readLines<OutboxAnswer>(answersPath)) {
    if (!answers.has(answer.id)) answers.set(answer.id, answer);
  }
  return readLines<OutboxEntry>(outboxPath).map((entry) => {
    const answer = answers.get(entry.id);
    return answer === undefined ? entry : { ...entry, answer };
  });
}

/** A last line without its end was never accepted: it is left out. */
function readLines<Line>(path: string): readonly Line[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
