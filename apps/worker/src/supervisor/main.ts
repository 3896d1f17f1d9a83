/**
 * Entry point of a supervisor process: `node main.js <attemptDir>` runs `launch.json` found there;
 * without an argument it waits, warm, for one launch over the IPC channel.
 */
import { existsSync, readFileSync } from 'node:fs';
import { attemptPaths } from '../spool/attempt-dir.ts';
import { takeAttemptDir } from './attempt-lock.ts';
import { openPipes } from './pipes.ts';
import { parseLaunch, type Launch } from './records.ts';
import { Supervisor, type Started } from './supervise.ts';

/** What a pool sends to a waiting supervisor, and what it is told. */
export type PoolMessage = { readonly dir: string; readonly launch: unknown };
export type SupervisorMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'started'; readonly started: Started }
  | { readonly type: 'ended' }
  | { readonly type: 'refused'; readonly why: string };

let supervisor: Supervisor | undefined;
/** Made while waiting, so that a start need not. */
const pipes = openPipes();

async function run(dir: string, launch: Launch): Promise<Started | undefined> {
  supervisor = new Supervisor(dir, launch, pipes);
  void supervisor.finished.then(() => process.exit(0));
  return supervisor.start();
}

async function serveOneLaunch(message: PoolMessage): Promise<void> {
  process.off('disconnect', leave);
  try {
    const launch = parseLaunch(message.launch);
    if (!takeAttemptDir(message.dir)) return tell({ type: 'refused', why: 'already taken' });
    const started = await run(message.dir, launch);
    tell(started === undefined ? { type: 'ended' } : { type: 'started', started });
  } catch (error) {
    tell({ type: 'refused', why: error instanceof Error ? error.message : String(error) });
    if (supervisor === undefined) process.exit(2);
    supervisor.fail(error);
  }
}

/** The daemon may be gone at any time: then nobody listens, and that is fine. */
function tell(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

function leave(): void {
  process.exit(0);
}

function stopBySystem(): void {
  if (supervisor === undefined) process.exit(0);
  supervisor.stop('stopped', 'the supervisor was terminated');
}

// The daemon's terminal and its signals are not ours: an agent outlives both.
process.on('SIGHUP', () => {});
process.on('SIGINT', () => {});
process.on('SIGTERM', stopBySystem);
process.on('uncaughtException', (error) => {
  if (supervisor === undefined) process.exit(2);
  supervisor.fail(error);
});

const dir = process.argv[2];
if (dir !== undefined) {
  const { launch } = attemptPaths(dir);
  if (!existsSync(launch) || !takeAttemptDir(dir)) process.exit(3);
  await run(dir, parseLaunch(JSON.parse(readFileSync(launch, 'utf8'))));
} else if (process.send !== undefined) {
  process.on('disconnect', leave);
  process.once('message', (message) => void serveOneLaunch(message as PoolMessage));
  tell({ type: 'ready' });
} else {
  process.exitCode = 64;
}
