import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';

/** AuthenticationOk and ReadyForQuery (idle): the answer to a startup message. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

/**
 * What `pg`'s client takes for a socket: bytes to the database thread and back. The startup message is
 * answered here, because the database in its thread has one session, already open. Whole corked writes
 * travel as one message. Destroying it ends the thread.
 */
export class PgliteStream extends Duplex {
  readonly #worker: Worker;
  #isStarted = false;

  constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on('message', (message: unknown) => {
      if (message instanceof Uint8Array) {
        this.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      }
    });
    worker.once('exit', () => this.destroy());
    worker.once('error', (error) => this.destroy(error));
  }

  connect(): this {
    setImmediate(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#post([chunk]);
    done();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.#post(chunks.map(({ chunk }) => chunk));
    done();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    void this.#worker.terminate();
    done(error);
  }

  #post(chunks: readonly Buffer[]): void {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.push(WELCOME);
      return;
    }
    const bytes = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    this.#worker.postMessage(bytes, [bytes.buffer]);
  }
}
