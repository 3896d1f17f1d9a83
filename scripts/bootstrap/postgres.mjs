// One throwaway PostgreSQL for one test run: a private folder, a Unix socket, nothing listens on TCP.
// PostgreSQL refuses root, so as root it runs under another user. Its life hangs on a pipe: when this
// process ends, even by SIGKILL, the keeper shell reads end-of-file, stops the server and removes the folder.
import { spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture } from './process.mjs';
import { firstThatRuns } from './programs.mjs';

const READY_WITHIN_MS = 120_000;

/**
 * $1 = folder of the binaries, $2 = the private folder. Ends when the server ends; the folder with its
 * log stays when the server ended unasked.
 */
const KEEPER = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 \
  >"$2/log" 2>&1 </dev/null &
server=$!
exec 3<&0
( read -r _ <&3; : >"$2/stopping"; kill -QUIT "$server" ) 2>/dev/null &
wait "$server"
if [ -e "$2/stopping" ]; then cd / && rm -rf "$2"; fi
`;

/**
 * Starts a server of its own for the caller.
 * @param {import('./postgres-binaries.mjs').PostgresBinaries} binaries
 * @returns {Promise<{ url: string, folder: string, bin: string, stop: () => Promise<void> }>} `url` as
 *   `pg` takes it; `bin` is a folder of binaries that the server's user may enter
 * @throws {Error} with the server's log when it does not start
 */
export async function startPostgres(binaries) {
  const owner = serverOwner();
  // The socket's path must stay under 107 bytes, and the other user must be able to enter.
  const parent = owner === undefined && tmpdir().length < 70 ? tmpdir() : '/tmp';
  const folder = mkdtempSync(join(parent, 'baton-test-pg-'));
  try {
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    const spawnOptions = {
      ...owner,
      cwd: folder,
      env: { PATH: `${process.env.PATH ?? ''}:/usr/bin:/bin`, LC_ALL: 'C' },
    };
    const bin = await enterableBinaries(binaries, folder, spawnOptions);
    await initialise(bin, folder, spawnOptions);
    return await launch(bin, folder, spawnOptions);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The user to run the server as: undefined for ourselves.
 * @param {number} [uid]
 * @param {string} [passwd] content of the user database
 * @returns {{ uid: number, gid: number } | undefined}
 */
export function serverOwner(uid = process.getuid?.(), passwd) {
  if (uid !== 0) return undefined;
  const lines = (passwd ?? readFileSync('/etc/passwd', 'utf8')).split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    'PostgreSQL refuses root, and there is no user `postgres` or `nobody` to run it as',
  );
}

/**
 * The clone may lie in a folder that the other user may not enter: then the binaries are copied.
 * @param {import('./postgres-binaries.mjs').PostgresBinaries} binaries
 * @param {string} folder
 * @param {import('node:child_process').SpawnOptions} spawnOptions
 * @returns {Promise<string>}
 */
async function enterableBinaries(binaries, folder, spawnOptions) {
  const direct = await firstThatRuns([join(binaries.folder, 'initdb')], '--version', spawnOptions);
  if (direct !== undefined) return binaries.folder;
  const copy = join(folder, 'native');
  cpSync(dirname(binaries.folder), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/**
 * @param {string} bin
 * @param {string} folder
 * @param {import('node:child_process').SpawnOptions} spawnOptions
 */
async function initialise(bin, folder, spawnOptions) {
  const flags = ['--no-sync', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C'];
  const { code, output } = await capture(
    [join(bin, 'initdb'), '-D', join(folder, 'data'), ...flags],
    spawnOptions,
  );
  if (code !== 0) throw new Error(`initdb failed (exit code ${code}):\n${output}`);
}

/**
 * @param {string} bin
 * @param {string} folder
 * @param {import('node:child_process').SpawnOptions} spawnOptions
 */
async function launch(bin, folder, spawnOptions) {
  // A session of its own: Ctrl-C must not reach the server before the tests have ended.
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', bin, folder], {
    ...spawnOptions,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => keeper.once('close', resolve));
  // The keeper must not hold this process; the pipe ends with it anyway.
  keeper.unref();
  const stop = async () => {
    keeper.ref();
    keeper.stdin.end();
    await ended;
    // Copied binaries belong to root; the keeper could not remove them.
    rmSync(folder, { recursive: true, force: true });
  };
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (!isReady(folder)) {
    if (Date.now() > deadlineMs || keeper.exitCode !== null) {
      const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '';
      await stop();
      throw new Error(`PostgreSQL did not start:\n${log}`);
    }
    await sleep(20);
  }
  return { url: `postgres://postgres@localhost/postgres?host=${folder}`, folder, bin, stop };
}

/**
 * The server writes its state into line 8 of `postmaster.pid`; `pg_ctl` waits on the same line.
 * @param {string} folder
 */
function isReady(folder) {
  const file = join(folder, 'data/postmaster.pid');
  return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready';
}
