import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The kernel's bound on a Unix socket path, in bytes, the smaller of Linux and macOS. */
export const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Where the two sockets of an attempt are. Short whatever the data directory is called, in a
 * directory only this user may enter. `daemon` steers the supervisor; `agent` is what an agent gets.
 */
export function socketPaths(attemptDir: string): {
  readonly daemon: string;
  readonly agent: string;
} {
  const name = createHash('sha256').update(attemptDir).digest('hex').slice(0, 20);
  const dir = runtimeDir(name.length + '.d.sock'.length);
  return { daemon: join(dir, `${name}.d.sock`), agent: join(dir, `${name}.a.sock`) };
}

/** A directory of this user alone for sockets and locks: `<tmp>/baton-<uid>`. */
export function runtimeDir(nameBytes = 32): string {
  const { uid } = userInfo();
  for (const base of [tmpdir(), '/tmp']) {
    const dir = join(base, `baton-${uid}`);
    if (Buffer.byteLength(dir) + 1 + nameBytes > SOCKET_PATH_BYTES_MAX) continue;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const stat = lstatSync(dir);
    if (stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0) return dir;
  }
  // Somebody else made our directory first: theirs is never used. The state file tells the path.
  return mkdtempSync('/tmp/baton-');
}
