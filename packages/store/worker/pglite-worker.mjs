// The thread that owns the embedded database. Plain JavaScript, because a worker thread is started from
// a file both under `src` (tests) and under `dist`.
//
// `workerData`: { directory, action: 'create' | 'serve', isDurable }.
// - create: initdb into `directory`, every byte forced to disk, then the thread ends. Apart from the
//   thread that serves, because initdb leaves the process 500 MB larger.
// - serve: bytes of the PostgreSQL protocol in, bytes out; { ask: 'stats' } and { ask: 'close' }.
//
// Whatever leaves the database in doubt (an abort of the WASM module, a failed fsync) ends the thread:
// its owner starts another, which replays the write-ahead log, as PostgreSQL itself does after a PANIC.
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** How PGlite's C code says that PostgreSQL raised an ordinary error; anything else is a crash. */
const POSTGRES_ERROR_STATUS = 100;
const EXIT_CRASHED = 70;
/** Answers are sent together, up to this size. */
const ANSWER_BYTES_MAX = 1024 * 1024;
const TERMINATE = 'X'.charCodeAt(0);

const port = parentPort;
if (port === null) throw new Error('pglite-worker runs as a worker thread');

/**
 * `fileLayer`: a module that wraps the file operations; for tests.
 * @type {{ directory: string, action: 'create' | 'serve', isDurable: boolean, fileLayer?: string }}
 */
const options = workerData;
const stats = { fileSyncs: 0, directorySyncs: 0 };

/** @param {unknown} error */
function crash(error) {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  port?.postMessage({ event: 'crashed', message });
  process.exit(EXIT_CRASHED);
}

/** NodeFS with an fsync: PGlite's own has none, so that commits reach the disk when the system likes. */
class DurableNodeFS extends NodeFS {
  /**
   * @param {import('@electric-sql/pglite').PGlite} pg
   * @param {Parameters<NodeFS['init']>[1]} opts
   */
  async init(pg, opts) {
    const made = await super.init(pg, opts);
    const layer = options.fileLayer === undefined ? undefined : await import(options.fileLayer);
    const addSync = (/** @type {any} */ mod) => {
      mod.NODEFS.stream_ops.fsync = (/** @type {any} */ stream) => {
        try {
          syncStream(stream, mod);
        } catch (error) {
          crash(error);
        }
        return 0;
      };
      layer?.install(mod.NODEFS);
    };
    made.emscriptenOpts.preRun = [...(made.emscriptenOpts.preRun ?? []), addSync];
    return made;
  }
}

/**
 * Directories may be open without a descriptor of the host.
 * @param {any} stream
 * @param {any} mod
 */
function syncStream(stream, mod) {
  if (typeof stream.nfd === 'number') {
    fsyncSync(stream.nfd);
    if (mod.FS.isDir(stream.node.mode)) stats.directorySyncs += 1;
    else stats.fileSyncs += 1;
  } else {
    syncPath(mod.NODEFS.realPath(stream.node));
    stats.directorySyncs += 1;
  }
}

/** @param {string} path */
function syncPath(path) {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** @param {string} directory */
function syncTree(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(directory);
}

async function create() {
  const db = await PGlite.create({ fs: new NodeFS(options.directory) });
  await db.close();
  if (options.isDurable) syncTree(options.directory);
  port?.postMessage({ event: 'created' });
}

async function serve() {
  const db = await PGlite.create(
    options.isDurable
      ? {
          fs: new DurableNodeFS(options.directory),
          startParams: [
            ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
            ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'],
          ],
        }
      : { fs: new NodeFS(options.directory) },
  );
  endThreadOnCrash(db);
  port?.on('message', (message) => {
    if (message instanceof Uint8Array) answer(db, message);
    else if (message.ask === 'stats') port?.postMessage({ event: 'stats', stats: { ...stats } });
    else if (message.ask === 'close') void close(db);
  });
  port?.postMessage({ event: 'ready' });
}

/**
 * PGlite's loop takes every exception for an SQL error and goes on; this one ends the thread instead.
 * @param {PGlite} db
 */
function endThreadOnCrash(db) {
  /** @type {any} */
  const mod = db.Module;
  const runOnce = mod._PostgresMainLoopOnce;
  mod._PostgresMainLoopOnce = () => {
    try {
      return runOnce();
    } catch (error) {
      if (/** @type {any} */ (error)?.status !== POSTGRES_ERROR_STATUS) crash(error);
      throw error;
    }
  };
}

/**
 * Runs in one go: the message is worked off before this returns.
 * @param {PGlite} db
 * @param {Uint8Array} message whole protocol messages
 */
function answer(db, message) {
  if (message[0] === TERMINATE) return;
  /** @type {Uint8Array[]} */
  let chunks = [];
  let size = 0;
  const flush = () => {
    if (size === 0) return;
    const bytes = new Uint8Array(size);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    port?.postMessage(bytes, [bytes.buffer]);
    chunks = [];
    size = 0;
  };
  const onRawData = (/** @type {Uint8Array} */ data) => {
    chunks.push(data.slice());
    size += data.length;
    if (size >= ANSWER_BYTES_MAX) flush();
  };
  db.execProtocolRawStream(message, { syncToFs: false, onRawData }).then(flush, crash);
}

/** @param {PGlite} db */
async function close(db) {
  await db.close();
  port?.postMessage({ event: 'closed', stats: { ...stats } });
  port?.close();
}

(options.action === 'create' ? create() : serve()).catch(crash);
