/**
 * One agent and everything that must outlive the worker daemon: its pipes, its process tree, its
 * spool, its requests and, while the daemon is away, its lease.
 *
 *     taken (lock) -> sockets up -> agent spawned -> state.json -> ... -> agent gone -> tree gone
 *       -> both spools complete and synced -> exit.json -> process ends
 *
 * I1. At most one supervisor ever runs per attempt directory (`supervisor.lock`, made exclusively).
 * I2. `exit.json` exists only when no byte will be added to the spools any more.
 * I3. Nothing of the agent's tree is left when `exit.json` says so.
 * Not done here: understanding output, talking to the control plane beyond the heartbeat.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bounded } from '../bounded.ts';
import { attemptPaths, type AttemptPaths } from '../spool/attempt-dir.ts';
import { writeFileAtomic } from '../spool/durable-file.ts';
import { answerAgent } from './agent-api.ts';
import { AgentStreams } from './agent-streams.ts';
import { answerDaemon } from './daemon-api.ts';
import { DaemonWatch } from './daemon-watch.ts';
import { serveFiles, type FileRequests } from './file-requests.ts';
import { serveJson } from './http-json.ts';
import { Outbox } from './outbox.ts';
import { openPipes } from './pipes.ts';
import { endTree, findBorn, TREE_MARK } from './process-tree.ts';
import { redactLaunch, type ExitFile, type ExitReason, type Launch } from './records.ts';
import { socketPaths } from './socket-path.ts';
import { SpoolWriter, type SpoolBudget } from './spool-writer.ts';

/** How long pipes may stay open once the whole tree is gone; then somebody else holds them. */
const PIPES_CLOSE_MS_MAX = 2_000;
/** Once a second; without the record the attempt will be found lost, which is what it then is. */
const EXIT_TRIES_MAX = 60;
/** Output of an agent that has ended by itself waits this long for room on the disk; then it is given up. */
const ROOM_MS_MAX = 10 * 60_000;
const ROOM_LOOK_MS = 500;

/** What the daemon is told when the agent runs. */
export interface Started {
  readonly pid: number;
  readonly started_at: string;
  readonly daemon_socket: string;
  readonly agent_socket: string;
}

/** Runs one agent from start to exit record. One instance lives as long as its process. */
export class Supervisor {
  readonly paths: AttemptPaths;
  readonly launch: Launch;
  readonly outbox: Outbox;
  readonly #sockets: { readonly daemon: string; readonly agent: string };
  readonly #servers: Server[] = [];
  #files: FileRequests | undefined;
  readonly #stdout: SpoolWriter;
  readonly #stderr: SpoolWriter;
  readonly #finished: Promise<void>;
  #finish: () => void = () => {};
  readonly #streams: AgentStreams;
  readonly #daemon: DaemonWatch;
  #child: ChildProcess | undefined;
  #born = '';
  #startedAt: string | null = null;
  #stop: { readonly reason: ExitReason; readonly detail: string } | undefined;
  #ending: Promise<void> | undefined;
  /** Somebody wanted it ended: nothing is waited for any more. */
  #isHurried = false;
  #exit: ExitFile | undefined;

  /** `pipes`: made beforehand by a supervisor that waited; else they are made now. */
  constructor(dir: string, launch: Launch, pipes = openPipes()) {
    this.paths = attemptPaths(dir);
    this.launch = launch;
    this.#sockets = socketPaths(dir);
    const budget: SpoolBudget = { bytesLeft: launch.output_bytes_max };
    const onStuck = (): void => this.outbox.wake();
    this.#stdout = new SpoolWriter(this.paths.stdout, budget, { onStuck });
    this.#stderr = new SpoolWriter(this.paths.stderr, budget, { onStuck });
    const writers = { stdout: this.#stdout, stderr: this.#stderr };
    this.#streams = new AgentStreams(pipes, launch.stdin, writers);
    this.#daemon = new DaemonWatch(launch, (...how) => this.stop(...how));
    this.outbox = new Outbox(this.paths.outbox, this.paths.answers);
    this.#finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Resolves when `exit.json` is written and the sockets are closed. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  get exit(): ExitFile | undefined {
    return this.#exit;
  }

  /** Opens the sockets and spawns the agent. Undefined when it never ran; then `exit` says why. */
  async start(): Promise<Started | undefined> {
    this.#servers.push(
      await serveJson(this.#sockets.daemon, (call) => answerDaemon(this, call)),
      await serveJson(this.#sockets.agent, (call) => answerAgent(this, call)),
    );
    const { requests_dir: requestsDir } = this.launch;
    if (requestsDir !== undefined) {
      this.#files = serveFiles(requestsDir, this.paths.fileAnswers, (call) =>
        answerAgent(this, call),
      );
    }
    if (this.#stop === undefined) await this.#spawn();
    this.#redactLaunchFile();
    const child = this.#child;
    if (child?.pid === undefined || this.#startedAt === null) {
      await this.#conclude(null, null, 0);
      return undefined;
    }
    this.#daemon.start();
    return {
      pid: child.pid,
      started_at: this.#startedAt,
      daemon_socket: this.#sockets.daemon,
      agent_socket: this.#sockets.agent,
    };
  }

  /** What `GET /state` answers. */
  describe(): object {
    return {
      attempt_id: this.launch.identity.attempt_id,
      epoch: this.launch.identity.epoch,
      supervisor_pid: process.pid,
      pid: this.#child?.pid ?? null,
      started_at: this.#startedAt,
      stopping: this.#stop ?? null,
      stdout_bytes: this.#stdout.bytes,
      stderr_bytes: this.#stderr.bytes,
      exit: this.#exit ?? null,
    };
  }

  /** Counts a call of the daemon: see `DaemonWatch`. */
  attached<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.#daemon.attached(call);
  }

  get isDaemonAttached(): boolean {
    return this.#daemon.isAttached;
  }

  /** The agent waits because its output finds no room. */
  get isDiskFull(): boolean {
    return this.#stdout.isStuck || this.#stderr.isStuck;
  }

  /** Ends the tree. The first reason stands; a second call only waits. */
  stop(reason: ExitReason, detail: string, graceMs = this.launch.grace_kill_ms): void {
    this.#stop ??= { reason, detail };
    this.#isHurried = true;
    this.#daemon.end();
    if (this.#child?.pid === undefined) return;
    this.#ending ??= this.#endTree(graceMs).then(() => undefined);
  }

  /** A fault of the supervisor itself: noted, and the agent is ended rather than left unseen. */
  fail(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#note(text);
    this.stop('supervisor_failed', text.slice(0, 500));
  }

  #note(text: string): void {
    try {
      appendFileSync(this.paths.log, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not keep the agent from being ended.
    }
  }

  /** The values of variables and the token leave the disk as early as they can. */
  #redactLaunchFile(): void {
    try {
      const text = JSON.stringify(redactLaunch(this.launch));
      writeFileAtomic(this.paths.launch, text, { sync: false });
    } catch (error) {
      rmSync(this.paths.launch, { force: true });
      this.#note(`launch.json: ${String(error)}`);
    }
  }

  async #spawn(): Promise<void> {
    const { launch } = this;
    const [command = '', ...args] = launch.argv;
    const env = {
      ...launch.env,
      [TREE_MARK]: launch.identity.attempt_id,
      ...(launch.requests_dir === undefined
        ? { BATON_SOCKET: this.#sockets.agent }
        : { BATON_REQUESTS: launch.requests_dir, BATON_ANSWERS: this.paths.fileAnswers }),
    };
    try {
      const stdio = this.#streams.open();
      const child = spawn(command, args, { cwd: launch.cwd, env, detached: true, stdio });
      this.#child = child;
      this.#streams.connect(child);
      await this.#watch(child);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // It runs but could not be noted down: better ended than unknown.
      if (this.#child?.pid !== undefined) return this.fail(error);
      this.#stop ??= { reason: 'spawn_failed', detail: `${code ?? 'error'}: ${message}` };
    }
  }

  /** Resolves when the agent runs; rejects when it could not be started. */
  async #watch(child: ChildProcess): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', resolve);
      if (child.pid !== undefined) resolve();
    });
    const pid = child.pid ?? 0;
    this.#born = findBorn(pid) ?? '';
    this.#startedAt = new Date().toISOString();
    child.once('exit', (code, signal) => {
      this.#stop ??= { reason: 'exited', detail: '' };
      this.#daemon.end();
      this.#afterExit(code, signal).catch((error: unknown) => this.fail(error));
    });
    const { identity, run_timeout_ms: timeoutMs } = this.launch;
    writeFileAtomic(
      this.paths.state,
      JSON.stringify({
        attempt_id: identity.attempt_id,
        epoch: identity.epoch,
        supervisor_pid: process.pid,
        pid,
        pgid: pid,
        born: this.#born,
        started_at: this.#startedAt,
        daemon_socket: this.#sockets.daemon,
        agent_socket: this.#sockets.agent,
      }),
      { sync: false },
    );
    if (timeoutMs === undefined) return;
    const timer = setTimeout(
      () => this.stop('run_timeout', `ran longer than ${timeoutMs} ms`),
      Math.min(timeoutMs, 2 ** 31 - 1),
    );
    child.once('exit', () => clearTimeout(timer));
  }

  async #afterExit(code: number | null, signal: string | null): Promise<void> {
    // Also after an agent that ended by itself: what it left behind would go on unseen.
    await this.#ending;
    const leftovers = await this.#endTree(this.launch.grace_kill_ms);
    await this.#untilDrained();
    this.#streams.destroy();
    await this.#conclude(code, signal, leftovers);
  }

  /** What the agent said is worth waiting for, unless somebody wanted it ended. */
  async #untilDrained(): Promise<void> {
    const drained = this.#streams.drained();
    const untilMs = performance.now() + ROOM_MS_MAX;
    await bounded(drained, PIPES_CLOSE_MS_MAX);
    while (this.isDiskFull && !this.#isHurried && performance.now() < untilMs) {
      await sleep(ROOM_LOOK_MS);
      if (!this.isDiskFull) await bounded(drained, PIPES_CLOSE_MS_MAX);
    }
  }

  async #endTree(graceMs: number): Promise<number> {
    const leaderPid = this.#child?.pid;
    const { attempt_id: attemptId } = this.launch.identity;
    if (leaderPid === undefined) return 0;
    const query = { attemptId, leaderPid, leaderBorn: this.#born };
    const { ended, survivors } = await endTree(query, graceMs);
    if (survivors > 0) {
      this.#note(`${survivors} processes survived KILL`);
    }
    return ended;
  }

  async #conclude(
    code: number | null,
    signal: string | null,
    leftoversEnded: number,
  ): Promise<void> {
    for (const writer of [this.#stdout, this.#stderr]) {
      await writer.close().catch((error: unknown) => this.#note(String(error)));
    }
    this.#exit = {
      reason: this.#stop?.reason ?? 'supervisor_failed',
      detail: this.#stop?.detail ?? '',
      code,
      signal,
      started_at: this.#startedAt,
      at: new Date().toISOString(),
      stdout_bytes: this.#stdout.bytes,
      stderr_bytes: this.#stderr.bytes,
      dropped_bytes: this.#stdout.droppedBytes + this.#stderr.droppedBytes,
      leftovers_ended: leftoversEnded,
    };
    await this.#writeExit(this.#exit);
    this.#files?.close();
    this.outbox.wake();
    await this.#closeServers();
    this.outbox.close();
    this.#finish();
  }

  /** A full disk may have room again; a directory that was removed is not waited for. */
  async #writeExit(exit: ExitFile): Promise<void> {
    for (let tries = 0; tries < EXIT_TRIES_MAX; tries += 1) {
      try {
        writeFileAtomic(this.paths.exit, JSON.stringify(exit), { sync: true });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
        this.#note(`exit.json: ${String(error)}`);
        await sleep(1_000);
      }
    }
  }

  /** Lets answers that are on their way out leave, but waits for nobody. */
  async #closeServers(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const server of this.#servers) server.closeIdleConnections();
    await bounded(Promise.all(closed), 500);
    for (const server of this.#servers) server.closeAllConnections();
    rmSync(this.#sockets.daemon, { force: true });
    rmSync(this.#sockets.agent, { force: true });
  }
}
