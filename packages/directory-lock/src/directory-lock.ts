// One owner per directory, on one machine, without pid files (a pid means nothing across containers).
//
// Whoever wants the directory listens on a Unix socket of its own in it, named `lock-<random>.sock`,
// then looks at all others. A socket gets its visible name by rename after it listens, and names are
// never used twice, so a refused connection proves for ever that its owner is dead: the file is removed.
//
//   candidate --sees an owner--------------------> gives up: data_dir_in_use
//             --sees a candidate of lower name---> withdraws, begins again
//             --sees a candidate of higher name--> waits until that one withdraws or owns
//             --sees nobody----------------------> owner
//
// Each is visible before it looks, so of two candidates at least one sees the other; the lowest never
// withdraws for a candidate: exactly one becomes owner. The kernel closes the socket of a killed
// process, so nothing has to be cleaned up by hand.
import { randomBytes, createHash } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@baton/contract';

/** Facts about an owner, shown to those who are refused. Values fit on one line of JSON. */
export type LockInfo = Readonly<Record<string, string | number>>;

/** The hold on a directory. */
export interface DirectoryLock {
  /** Gives the directory up. Idempotent. */
  close(): Promise<void>;
}

/** What an owner or candidate answers to whoever connects. */
interface Greeting {
  readonly state: 'candidate' | 'owner';
  readonly pid: number;
  readonly startedAt: string;
  readonly info: LockInfo;
}

/** sun_path holds 104 bytes on macOS and 108 on Linux, with its end mark. */
const SOCKET_PATH_BYTES_MAX = 100;
const SOCKET_NAME = /^lock-[0-9a-f]{16}\.sock$/;
/** A live owner may be busy: without an answer by then it counts as an owner that says nothing. */
const GREETING_MS_MAX = 3_000;
const CANDIDATE_POLL_MS = 10;
const SILENCE_RECHECK_MS = 200;
const PATH_FILE = 'lock.path';

/**
 * Takes a directory for this process until `close`, or until the process ends in whatever way.
 * Unix sockets only: Linux and macOS.
 * @throws {AppError} `data_dir_in_use`, with the owner's pid, start time and info
 */
export async function openDirectoryLock(dir: string, info: LockInfo = {}): Promise<DirectoryLock> {
  const sockets = await socketDirectory(dir);
  for (;;) {
    const candidate = await Candidate.enter(sockets, info);
    const outcome = await candidate.contest();
    if (outcome === 'won') return candidate;
    await candidate.close();
    if (outcome !== 'withdrawn') throw inUse(dir, outcome);
    await sleep(CANDIDATE_POLL_MS * (1 + Math.random()));
  }
}

function inUse(dir: string, owner: Greeting | 'silent'): AppError {
  if (owner === 'silent') {
    return new AppError(
      'data_dir_in_use',
      `${dir} is in use by another process, which does not answer. Stop it first.`,
      { detail: { data_dir: dir } },
    );
  }
  return new AppError(
    'data_dir_in_use',
    `${dir} is in use by process ${owner.pid}, started ${owner.startedAt}. ` +
      'Stop it first, or choose another data directory.',
    {
      detail: { ...owner.info, data_dir: dir, owner_pid: owner.pid, started_at: owner.startedAt },
    },
  );
}

/** One try to become the owner; then the owner. */
class Candidate implements DirectoryLock {
  readonly #directory: string;
  readonly #name: string;
  readonly #server: Server;
  readonly #greeting: Omit<Greeting, 'state'>;
  #state: Greeting['state'] = 'candidate';
  #closed: Promise<void> | undefined;

  private constructor(directory: string, info: LockInfo) {
    this.#directory = directory;
    this.#name = `lock-${randomBytes(8).toString('hex')}.sock`;
    this.#greeting = {
      pid: process.pid,
      startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      info,
    };
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      const greeting: Greeting = { ...this.#greeting, state: this.#state };
      socket.end(`${JSON.stringify(greeting)}\n`);
    });
  }

  /** A candidate that all later ones see. */
  static async enter(directory: string, info: LockInfo): Promise<Candidate> {
    const candidate = new Candidate(directory, info);
    const hidden = join(directory, `${candidate.#name}.new`);
    await listen(candidate.#server, hidden);
    await rename(hidden, join(directory, candidate.#name));
    candidate.#server.unref();
    return candidate;
  }

  /** Looks at all others until it is clear who has the directory. */
  async contest(): Promise<'won' | 'withdrawn' | 'silent' | Greeting> {
    for (;;) {
      const others = (await readdir(this.#directory)).filter(
        (name) => SOCKET_NAME.test(name) && name !== this.#name,
      );
      let isAlone = true;
      for (const name of others) {
        const found = await lookAt(join(this.#directory, name));
        if (found === 'gone') continue;
        if (found === 'silent' || found.state === 'owner') return found;
        if (name < this.#name) return 'withdrawn';
        isAlone = false;
      }
      if (isAlone) {
        this.#state = 'owner';
        return 'won';
      }
      await sleep(CANDIDATE_POLL_MS);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await rm(join(this.#directory, this.#name), { force: true });
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Asks a socket who is behind it; removes it when nobody is. */
async function lookAt(path: string): Promise<Greeting | 'silent' | 'gone'> {
  let answer = await greetingOf(path);
  if (answer === 'silent') {
    // It may just be going.
    await sleep(SILENCE_RECHECK_MS);
    answer = await greetingOf(path);
  }
  if (answer === 'dead') {
    await rm(path, { force: true });
    return 'gone';
  }
  return answer;
}

function greetingOf(path: string): Promise<Greeting | 'silent' | 'dead' | 'gone'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(GREETING_MS_MAX, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve('dead');
      else if (error.code === 'ENOENT') resolve('gone');
    });
    socket.on('close', () => resolve(parseGreeting(text)));
  });
}

/** An end without a greeting is somebody alive who says nothing, or who is just going. */
function parseGreeting(text: string): Greeting | 'silent' {
  try {
    return JSON.parse(text) as Greeting;
  } catch {
    return 'silent';
  }
}

/**
 * The directory of the sockets: `dir` itself, or, where its path is too long for a socket, a folder under
 * the temporary directory, written down in `dir` so that everybody finds the same one.
 */
async function socketDirectory(dir: string): Promise<string> {
  const real = await realpath(dir);
  const longest = join(real, 'lock-0123456789abcdef.sock.new');
  if (Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX) return real;
  const recorded = await recordedDirectory(real);
  await mkdir(recorded, { recursive: true, mode: 0o700 });
  return recorded;
}

/** Short names: the temporary directory of macOS alone takes half of what a socket's path may have. */
async function recordedDirectory(real: string): Promise<string> {
  const file = join(real, PATH_FILE);
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 10);
  const mine = `${real}\n${join(tmpdir(), `baton-${digest}`)}\n`;
  for (;;) {
    const [owner, recorded] = await readFile(file, 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    if (owner === real && recorded !== undefined) return recorded;
    // A directory that was copied or moved carries the record of its old place.
    if (owner !== undefined) await rm(file, { force: true });
    await writeFile(file, mine, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
