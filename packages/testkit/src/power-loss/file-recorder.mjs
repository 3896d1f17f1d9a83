// A layer under the embedded database that writes down everything it does to its files, in order, into
// the file named by `?journal=`. Loaded into the database's thread; plain JavaScript, like that thread.
//
// A record: length of its head (4 bytes, little endian), the head as JSON {op, path, ...}, the bytes of
// a write. With `?drop=sync` forced writes are left out of the record, as if they did nothing.
import { openSync, writeSync } from 'node:fs';

const asked = new URL(import.meta.url).searchParams;
const journal = openSync(asked.get('journal') ?? '', 'a');
const isSyncDropped = asked.get('drop') === 'sync';
const none = new Uint8Array(0);

/**
 * @param {object} head
 * @param {Uint8Array} [bytes]
 */
function note(head, bytes = none) {
  const text = Buffer.from(JSON.stringify({ ...head, size: bytes.length }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  writeSync(journal, Buffer.concat([length, text, bytes]));
}

/**
 * Wraps the file operations of the database's module.
 * @param {any} NODEFS
 */
export function install(NODEFS) {
  const { node_ops: nodes, stream_ops: streams } = NODEFS;
  const pathOf = (/** @type {any} */ node) => NODEFS.realPath(node);
  const below = (/** @type {any} */ parent, /** @type {string} */ name) =>
    `${pathOf(parent)}/${name}`;

  wrap(nodes, 'mknod', (_, parent, name, mode) =>
    note({ op: (mode & 0o170000) === 0o040000 ? 'mkdir' : 'create', path: below(parent, name) }),
  );
  wrap(nodes, 'unlink', (_, parent, name) => note({ op: 'unlink', path: below(parent, name) }));
  wrap(nodes, 'rmdir', (_, parent, name) => note({ op: 'rmdir', path: below(parent, name) }));
  const rename = nodes.rename;
  nodes.rename = (/** @type {any} */ node, /** @type {any} */ to, /** @type {string} */ name) => {
    const from = pathOf(node);
    rename(node, to, name);
    note({ op: 'rename', path: from, to: below(to, name) });
  };
  wrap(nodes, 'setattr', (_, node, attributes) => {
    if (attributes.size !== undefined) {
      note({ op: 'truncate', path: pathOf(node), to: attributes.size });
    }
  });
  wrap(streams, 'setattr', (_, stream, attributes) => {
    if (attributes.size !== undefined) {
      note({ op: 'truncate', path: pathOf(stream.node), to: attributes.size });
    }
  });
  wrap(streams, 'write', (written, stream, buffer, offset, _length, position) => {
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, written);
    note({ op: 'write', path: pathOf(stream.node), at: position }, bytes);
  });
  wrap(streams, 'fsync', (_, stream) => {
    if (!isSyncDropped) note({ op: 'sync', path: pathOf(stream.node) });
  });
}

/**
 * @param {any} ops
 * @param {string} name
 * @param {(result: any, ...args: any[]) => void} after
 */
function wrap(ops, name, after) {
  const real = ops[name];
  ops[name] = (/** @type {any[]} */ ...args) => {
    const result = real(...args);
    after(result, ...args);
    return result;
  };
}
