import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../spool/durable-file.ts';
import { refuse, type JsonCall, type JsonReply } from './http-json.ts';

/** Calls of an agent that reaches no socket, as files. */
export interface FileRequests {
  close(): void;
}

const lookMs = 100;
const bytesMax = 1024 * 1024;
const openMax = 32;
const NAME = /^([\w-]{1,64})\.json$/;

/**
 * The agent's socket for a sandbox that cuts sockets: a call `{method, path, body}` is a file `<id>.json` in
 * `requestsDir`, which the agent may write, and its answer `{status, body}` a file of the same name in
 * `answersDir`, which it can only read. A call is over when the agent removes its file.
 *
 * The agent owns the first directory: nothing is written there and no link is followed.
 */
export function serveFiles(
  requestsDir: string,
  answersDir: string,
  handle: (call: JsonCall) => Promise<JsonReply> | JsonReply,
): FileRequests {
  mkdirSync(answersDir, { recursive: true, mode: 0o700 });
  const open = new Map<string, AbortController>();

  function look(): void {
    const names = new Set(namesIn(requestsDir));
    for (const [name, gone] of open) {
      if (names.has(name)) continue;
      gone.abort();
      open.delete(name);
      rmSync(join(answersDir, name), { force: true });
    }
    for (const name of names) {
      if (open.has(name) || open.size >= openMax) continue;
      const gone = new AbortController();
      open.set(name, gone);
      void answer(name, gone.signal);
    }
  }

  async function answer(name: string, signal: AbortSignal): Promise<void> {
    const reply = await replyTo(name, signal);
    if (signal.aborted) return;
    try {
      writeFileAtomic(join(answersDir, name), JSON.stringify(reply), { sync: false });
    } catch {
      // A full disk: the agent hears nothing and asks again.
    }
  }

  async function replyTo(name: string, signal: AbortSignal): Promise<JsonReply> {
    try {
      return await handle(callIn(join(requestsDir, name), signal));
    } catch (error) {
      return refuse(400, 'bad_request', error instanceof Error ? error.message : String(error));
    }
  }

  const timer = setInterval(look, lookMs);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      for (const gone of open.values()) gone.abort();
    },
  };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => NAME.test(name));
  } catch {
    return [];
  }
}

function callIn(path: string, signal: AbortSignal): JsonCall {
  const call: unknown = JSON.parse(readPlainFile(path));
  const {
    method,
    path: target,
    body,
  } = typeof call === 'object' && call !== null
    ? (call as Partial<Record<keyof JsonCall, unknown>>)
    : {};
  if (typeof method !== 'string' || typeof target !== 'string') {
    throw new TypeError('A call is a JSON document with `method` and `path`.');
  }
  const url = new URL(target, 'http://files');
  return { method, path: url.pathname, query: url.searchParams, body: body ?? null, signal };
}

function readPlainFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new TypeError('A call is a plain file.');
    if (stat.size > bytesMax) throw new TypeError(`A call has at most ${bytesMax} bytes.`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Makes the directory anew, so that no call of an earlier agent is heard again. */
export function clearRequests(requestsDir: string): void {
  if (existsSync(requestsDir)) rmSync(requestsDir, { recursive: true, force: true });
  mkdirSync(requestsDir, { recursive: true });
}
