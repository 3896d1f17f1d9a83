import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './tower.ts';

/** Folder of `initdb` and `postgres`, or undefined where the machine has none: then such tests skip. */
export const postgresBin: string | undefined = process.env['BATON_TEST_POSTGRES_BIN'];

/** A PostgreSQL server that belongs to one test, so that the test may kill it. */
export interface OwnPostgres {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  readonly socket: string;
  /** Ends it as a crash would: no checkpoint, connections cut. */
  crash(): Promise<void>;
  /** Starts it again on the same data; answers when it takes connections. */
  start(): Promise<void>;
}

/** Starts a server with synced commits; it is ended with the test. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  if (postgresBin === undefined) throw new Error('BATON_TEST_POSTGRES_BIN is not set');
  const bin = postgresBin;
  const owner = serverOwner();
  // A socket's path must stay under 107 bytes.
  const folder = mkdtempSync(join(tmpdir().length < 60 ? tmpdir() : '/tmp', 'baton-own-pg-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const options = { ...owner, cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } };
  const data = join(folder, 'data');
  const flags = ['--no-sync', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), ['-D', data, ...flags], { ...options, stdio: 'ignore' });

  let server: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  const crash = async (): Promise<void> => {
    server?.kill('SIGQUIT');
    await ended;
    rmSync(join(data, 'postmaster.pid'), { force: true });
  };
  const start = async (): Promise<void> => {
    const it = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'max_connections=60'],
      { ...options, stdio: 'ignore' },
    );
    server = it;
    ended = new Promise((resolve) => it.once('exit', resolve));
    await until('PostgreSQL takes connections', () => {
      if (it.exitCode !== null) throw new Error(`PostgreSQL ended with ${it.exitCode}`);
      return isReady(data);
    });
  };
  onTestFinished(async () => {
    await crash();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  await start();
  return {
    url: `postgres://postgres@localhost/postgres?host=${folder}`,
    socket: join(folder, '.s.PGSQL.5432'),
    crash,
    start,
  };
}

/** PostgreSQL refuses root: then it runs as another user. */
function serverOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('there is no user to run PostgreSQL as');
}

/** The server writes its state into line 8 of `postmaster.pid`. */
function isReady(data: string): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
