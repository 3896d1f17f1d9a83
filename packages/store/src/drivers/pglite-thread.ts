import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Found from `src/drivers` and from `dist/drivers` alike. */
const WORKER_FILE = new URL('../../worker/pglite-worker.mjs', import.meta.url);

/** How often the database forced something to disk since its thread started. */
export interface PgliteStats {
  readonly fileSyncs: number;
  readonly directorySyncs: number;
}

type ThreadMessage =
  | { readonly event: 'created' | 'ready' }
  | { readonly event: 'stats' | 'closed'; readonly stats: PgliteStats }
  | { readonly event: 'crashed'; readonly message: string };

/** The thread that owns the embedded database; see `worker/pglite-worker.mjs`. */
export class PgliteThread {
  readonly worker: Worker;
  readonly #exited: Promise<unknown>;
  #crash: Error | undefined;

  private constructor(
    directory: string,
    action: 'create' | 'serve',
    isDurable: boolean,
    fileLayer?: string,
  ) {
    // Without the options of this process: its loaders and `--input-type` are not for the thread.
    this.worker = new Worker(WORKER_FILE, {
      workerData: { directory, action, isDurable, fileLayer },
      execArgv: [],
    });
    this.worker.on('error', (error) => {
      this.#crash ??= error instanceof Error ? error : new Error(String(error));
    });
    this.worker.on('message', (message: ThreadMessage | Uint8Array) => {
      if (message instanceof Uint8Array || message.event !== 'crashed') return;
      this.#crash = new Error(`the embedded database stopped: ${message.message}`);
    });
    this.#exited = once(this.worker, 'exit').catch(() => undefined);
  }

  /** Makes a database in an empty directory and forces it to disk. @throws {Error} */
  static async create(directory: string, isDurable: boolean): Promise<void> {
    const thread = new PgliteThread(directory, 'create', isDurable);
    await thread.#expect('created');
    await thread.#exited;
  }

  /** Opens the database of a directory, after a crash with recovery. @throws {Error} */
  static async serve(
    directory: string,
    isDurable: boolean,
    fileLayer?: string,
  ): Promise<PgliteThread> {
    const thread = new PgliteThread(directory, 'serve', isDurable, fileLayer);
    await thread.#expect('ready');
    return thread;
  }

  /** Ends the thread after a clean shutdown of the database. */
  async close(): Promise<void> {
    this.worker.postMessage({ ask: 'close' });
    await this.#expect('closed');
    await this.#exited;
  }

  /** Ends the thread at once, as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.worker.terminate();
    await this.#exited;
  }

  async stats(): Promise<PgliteStats> {
    this.worker.postMessage({ ask: 'stats' });
    const message = await this.#expect('stats');
    if (!('stats' in message)) throw new Error('the database thread sent no stats');
    return message.stats;
  }

  /** The next message of that kind. @throws {Error} when the thread ends first */
  #expect(event: ThreadMessage['event']): Promise<ThreadMessage> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: ThreadMessage | Uint8Array): void => {
        if (message instanceof Uint8Array || message.event !== event) return;
        stop();
        resolve(message);
      };
      const onExit = (code: number): void => {
        stop();
        reject(this.#crash ?? new Error(`the database thread ended with code ${code}`));
      };
      const stop = (): void => {
        this.worker.off('message', onMessage);
        this.worker.off('exit', onExit);
      };
      this.worker.on('message', onMessage);
      this.worker.on('exit', onExit);
    });
  }
}
