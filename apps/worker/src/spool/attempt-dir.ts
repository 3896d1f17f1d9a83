import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where each file of an attempt lives. The supervisor and the daemon meet only here and on the socket. */
export interface AttemptPaths {
  readonly dir: string;
  /** What is run, without values of variables and without the token once it has started. */
  readonly launch: string;
  /** What the agent may read of its task (`GET /task`); written by the daemon. */
  readonly task: string;
  /** Taken once, by the one supervisor of this attempt or by a recovery that found none. */
  readonly lock: string;
  readonly state: string;
  readonly exit: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Requests of the agent, one JSON document a line, each synced before it is accepted. */
  readonly outbox: string;
  readonly answers: string;
  /** Answers to calls that came as files, one file each; see `serveFiles`. */
  readonly fileAnswers: string;
  /** Faults of the supervisor itself. */
  readonly log: string;
}

/** The layout of an attempt directory. */
export function attemptPaths(dir: string): AttemptPaths {
  return {
    dir,
    launch: join(dir, 'launch.json'),
    task: join(dir, 'task.json'),
    lock: join(dir, 'supervisor.lock'),
    state: join(dir, 'state.json'),
    exit: join(dir, 'exit.json'),
    stdout: join(dir, 'stdout.log'),
    stderr: join(dir, 'stderr.log'),
    outbox: join(dir, 'outbox.jsonl'),
    answers: join(dir, 'answers.jsonl'),
    fileAnswers: join(dir, 'answers'),
    log: join(dir, 'supervisor.log'),
  };
}

const ATTEMPT_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Makes (or finds) `<dataDir>/attempts/<attemptId>`, readable by this user only, and returns its path. */
export function createAttemptDir(dataDir: string, attemptId: string): string {
  if (!ATTEMPT_ID.test(attemptId)) throw new TypeError(`not an attempt id: ${attemptId}`);
  const dir = join(dataDir, 'attempts', attemptId);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** Every attempt directory under `dataDir`, oldest first; what a daemon looks through after a restart. */
export function listAttemptDirs(
  dataDir: string,
): readonly { readonly attemptId: string; readonly dir: string }[] {
  const root = join(dataDir, 'attempts');
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return [];
  }
  const found = names
    .filter((name) => ATTEMPT_ID.test(name))
    .map((attemptId) => ({ attemptId, dir: join(root, attemptId) }))
    .map((it) => ({ ...it, stat: statSync(it.dir, { throwIfNoEntry: false }) }))
    .filter((it) => it.stat?.isDirectory() === true);
  found.sort((a, b) => (a.stat?.birthtimeMs ?? 0) - (b.stat?.birthtimeMs ?? 0));
  return found.map(({ attemptId, dir }) => ({ attemptId, dir }));
}
