// What a disk may hold after the power went, computed from a record of everything that was done to it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

interface Operation {
  readonly op: 'mkdir' | 'create' | 'unlink' | 'rmdir' | 'rename' | 'truncate' | 'write' | 'sync';
  readonly path: string;
  /** New name, or new length. */
  readonly to?: string | number;
  readonly at?: number;
  readonly size: number;
  readonly bytes: Buffer;
  /** Where the record of it ends in the journal. */
  readonly end: number;
}

/** A piece of a file's content that no sync has covered yet. */
type Unsynced = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

interface File {
  content: Buffer;
  length: number;
  unsynced: Unsynced[];
}

/** What happens to names; kept by file systems in order, made durable by any sync that comes later. */
type NameChange = (names: Map<string, File>) => void;

/** Units in which a disk tears a write: a sector, a page. */
const TEAR_BYTES = [512, 4096] as const;

/** Everything that was recorded, oldest first. */
export function readJournal(path: string): readonly Operation[] {
  const all = readFileSync(path);
  const found: Operation[] = [];
  let at = 0;
  while (at + 4 <= all.length) {
    const headEnd = at + 4 + all.readUInt32LE(at);
    const head = JSON.parse(all.subarray(at + 4, headEnd).toString()) as Omit<
      Operation,
      'bytes' | 'end'
    >;
    const end = headEnd + head.size;
    found.push({ ...head, bytes: all.subarray(headEnd, end), end });
    at = end;
  }
  return found;
}

/**
 * Makes `target` what a disk may hold when the power goes at `cut` bytes of the journal: `base` (which
 * was forced to disk before the record begins), all that was synced, and of the rest what `random`
 * says: names up to some point, any of the writes, whole or torn.
 */
export function crashDisk(settings: {
  readonly base: string;
  /** The directory that the record speaks of. */
  readonly recorded: string;
  readonly operations: readonly Operation[];
  readonly cut: number;
  readonly target: string;
  readonly random: () => number;
}): void {
  const { base, recorded, operations, cut, target, random } = settings;
  cpSync(base, target, { recursive: true });
  const volatile = new Map<string, File>();
  const durable = new Map<string, File>();
  const gone = new Set<string>();
  let pending: NameChange[] = [];
  const folders = new Set<string>();
  const fileAt = (path: string): File => {
    let file = volatile.get(path);
    if (file === undefined) {
      const content = gone.has(path)
        ? Buffer.alloc(0)
        : readOr(join(base, relative(recorded, path)));
      file = { content, length: content.length, unsynced: [] };
      volatile.set(path, file);
      if (!gone.has(path)) durable.set(path, file);
    }
    return file;
  };
  const rename = (change: NameChange): void => {
    change(volatile);
    pending.push(change);
  };
  for (const it of operations) {
    if (it.end > cut) break;
    switch (it.op) {
      case 'mkdir':
        folders.add(it.path);
        break;
      case 'rmdir':
        folders.delete(it.path);
        break;
      case 'create': {
        gone.add(it.path);
        const file: File = { content: Buffer.alloc(0), length: 0, unsynced: [] };
        rename((names) => names.set(it.path, file));
        break;
      }
      case 'unlink':
        fileAt(it.path);
        gone.add(it.path);
        rename((names) => names.delete(it.path));
        break;
      case 'rename': {
        const to = String(it.to);
        fileAt(it.path);
        gone.add(it.path).add(to);
        rename((names) => {
          const file = names.get(it.path);
          names.delete(it.path);
          if (file !== undefined) names.set(to, file);
        });
        break;
      }
      case 'truncate':
        fileAt(it.path).unsynced.push({ length: Number(it.to) });
        break;
      case 'write':
        fileAt(it.path).unsynced.push({ at: it.at ?? 0, bytes: it.bytes });
        break;
      case 'sync': {
        const file = volatile.get(it.path);
        if (file !== undefined) settle(file);
        for (const change of pending) change(durable);
        pending = [];
      }
    }
  }
  for (const change of pending.slice(0, Math.floor(random() * (pending.length + 1)))) {
    change(durable);
  }
  for (const folder of folders)
    mkdirSync(join(target, relative(recorded, folder)), { recursive: true });
  for (const path of gone) {
    if (!durable.has(path)) rmSync(join(target, relative(recorded, path)), { force: true });
  }
  for (const [path, file] of durable) {
    const after = survive(file, random);
    const name = join(target, relative(recorded, path));
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, after.content.subarray(0, after.length));
  }
}

function settle(file: File): void {
  for (const change of file.unsynced) apply(file, change);
  file.unsynced = [];
}

/** The file as the disk may have it: each unsynced change is there, is not, or is there in parts. */
function survive(file: File, random: () => number): File {
  const after: File = { content: Buffer.from(file.content), length: file.length, unsynced: [] };
  for (const change of file.unsynced) {
    const fate = random();
    if (fate < 0.4) continue;
    if (fate < 0.7 || !('bytes' in change)) {
      apply(after, change);
      continue;
    }
    const unit = TEAR_BYTES[random() < 0.5 ? 0 : 1];
    for (let from = 0; from < change.bytes.length; from += unit) {
      if (random() < 0.5) continue;
      apply(after, { at: change.at + from, bytes: change.bytes.subarray(from, from + unit) });
    }
  }
  return after;
}

function apply(file: File, change: Unsynced): void {
  if ('length' in change) {
    if (change.length < file.length) file.content.fill(0, change.length, file.length);
    grow(file, change.length);
    file.length = change.length;
    return;
  }
  const end = change.at + change.bytes.length;
  grow(file, end);
  change.bytes.copy(file.content, change.at);
  file.length = Math.max(file.length, end);
}

function grow(file: File, length: number): void {
  if (file.content.length >= length) return;
  const larger = Buffer.alloc(Math.max(length, file.content.length * 2));
  file.content.copy(larger);
  file.content = larger;
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
