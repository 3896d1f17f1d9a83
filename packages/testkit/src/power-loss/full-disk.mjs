// A layer under the embedded database that has no room for what is written while the file named by
// `?full=` is there: a write beyond the end of a file fails with ENOSPC, as on a disk that is full. What
// lies within a file has its place. Loaded into the database's thread; plain JavaScript, like that thread.
import { existsSync, fstatSync } from 'node:fs';

const flag = new URL(import.meta.url).searchParams.get('full') ?? '';

/**
 * Wraps the file operations of the database's module.
 * @param {any} NODEFS
 */
export function install(NODEFS) {
  const streams = NODEFS.stream_ops;
  const write = streams.write;
  streams.write = (
    /** @type {any} */ stream,
    /** @type {any} */ buffer,
    /** @type {number} */ offset,
    /** @type {number} */ length,
    /** @type {number} */ position,
  ) => {
    if (existsSync(flag) && position + length > fstatSync(stream.nfd).size) {
      // Through the module, which makes an error of its own kind of it.
      return NODEFS.tryFSOperation(() => {
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      });
    }
    return write(stream, buffer, offset, length, position);
  };
}
