/** What the tests of a whole worker stand on: a control plane, a data directory, and workers to start and kill. */
import { fakeAgentsDir } from '@baton/testkit';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type { WorkerConfigInput } from '../config.ts';
import { attemptPaths, listAttemptDirs } from '../spool/attempt-dir.ts';
import { settleLost } from '../supervisor/client.ts';
import { endTree } from '../supervisor/process-tree.ts';
import { findState } from '../supervisor/records.ts';
import { startWorker, type Worker } from '../worker.ts';
import { FakeControlPlane } from './fake-control-plane.ts';

/** Where git, node and sh are. */
const PATH = ['/usr/local/bin', '/usr/bin', '/bin', dirname(process.execPath)].join(delimiter);

/** One test's world; `close` ends everything in it. */
export class Stage {
  readonly root = mkdtempSync(join(tmpdir(), 'baton-stage-'));
  readonly dataDir = join(this.root, 'data');
  readonly plane: FakeControlPlane;
  readonly #workers: Worker[] = [];
  readonly #daemons: ChildProcess[] = [];

  readonly #path: string;

  private constructor(plane: FakeControlPlane, hasAgents: boolean) {
    this.plane = plane;
    this.#path = [hasAgents ? fakeAgentsDir : this.#noAgents(), PATH].join(delimiter);
    mkdirSync(join(this.root, 'home'));
  }

  /** `agents`: the fake claude and codex are on its workers' PATH. */
  static async open(options: { readonly agents?: boolean } = {}): Promise<Stage> {
    return new Stage(await FakeControlPlane.start(), options.agents === true);
  }

  async close(): Promise<void> {
    try {
      await Promise.all(this.#workers.map((it) => it.stop({ leaveRunning: true })));
      await Promise.all(this.#daemons.map((it) => this.kill(it)));
      await this.#endAttempts();
    } finally {
      // What is only just ending may still write.
      rmSync(this.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      await this.plane.stop();
    }
  }

  /** Stands before the agents that this machine may have: those would be asked for version and login. */
  #noAgents(): string {
    const dir = join(this.root, 'no-agents');
    mkdirSync(dir);
    for (const name of ['claude', 'codex']) {
      writeFileSync(join(dir, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    }
    return dir;
  }

  /** Agents and supervisors go on when their worker ends: none is left to the next test. */
  async #endAttempts(): Promise<void> {
    const attempts = readdirSync(this.root).flatMap((it) => listAttemptDirs(join(this.root, it)));
    for (const { attemptId, dir } of attempts) {
      for (const turn of [dir, join(dir, 'turn-2')]) {
        if (existsSync(attemptPaths(turn).lock)) await settleLost(turn, attemptId, 0);
      }
      await endTree({ attemptId: `${attemptId}.setup` }, 0);
    }
  }

  /** @throws when the worker broke the protocol */
  check(): void {
    const { faults } = this.plane;
    if (faults.length > 0) throw new Error(`the worker broke the protocol: ${faults.join('; ')}`);
  }

  config(more: Partial<WorkerConfigInput> = {}): WorkerConfigInput {
    return {
      url: this.plane.url,
      token: 'batj_test',
      name: 'w1',
      slots: 4,
      dataDir: this.dataDir,
      warmSupervisors: 0,
      freeMemoryBytesMin: 0,
      processEnv: { PATH: this.#path, HOME: join(this.root, 'home') },
      ...more,
    };
  }

  /** A worker in this process. */
  async worker(more: Partial<WorkerConfigInput> = {}): Promise<Worker> {
    const log = pino({ level: 'silent' });
    const worker = await startWorker({ config: this.config(more), log });
    this.#workers.push(worker);
    return worker;
  }

  /** A worker as a process of its own; resolves when it is ready. */
  async daemon(): Promise<ChildProcess> {
    const { processEnv, ...config } = this.config();
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const main = fileURLToPath(new URL('daemon.ts', import.meta.url));
    const args = ['--conditions=source', '--import', tsx, main, JSON.stringify(config)];
    const daemon = spawn(process.execPath, args, {
      env: { ...processEnv },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#daemons.push(daemon);
    await new Promise<void>((resolve, reject) => {
      daemon.stdout?.once('data', () => resolve());
      daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)));
    });
    return daemon;
  }

  /** kill -9; resolves when it is gone. */
  async kill(daemon: ChildProcess): Promise<void> {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await gone;
  }

  attemptDir(attempt: string): string {
    return join(this.dataDir, 'attempts', attempt);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  touch(name: string): void {
    writeFileSync(this.path(name), '');
  }

  async untilFile(path: string): Promise<void> {
    await this.plane.until(() => existsSync(path), path);
  }

  /** Resolves with the first whole line of a file: who sees that a file is there may be ahead of its content. */
  async untilLine(path: string): Promise<string> {
    return this.plane.until(
      () => existsSync(path) && /^.*\n/.exec(readFileSync(path, 'utf8'))?.[0],
      `a line in ${path}`,
    );
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** A git repository with one commit; answers its path. */
  repo(files: Readonly<Record<string, string>> = { 'README.md': 'hello\n' }): string {
    const path = mkdtempSync(this.path('repo-'));
    const git = (...args: string[]): void => {
      execFileSync('git', args, { cwd: path, stdio: 'ignore' });
    };
    git('init', '--quiet', '--initial-branch=main');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    git('add', '.');
    git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'start');
    return path;
  }

  /** A call on the agent's socket, as `baton task` makes it. */
  async ask(
    attempt: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const socketPath = findState(this.attemptDir(attempt))?.agent_socket;
    if (socketPath === undefined) throw new Error(`${attempt} has no socket`);
    return new Promise((resolve, reject) => {
      const call = request({ socketPath, method, path, agent: false }, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(text) as Record<string, unknown>,
          });
        });
      });
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  paths(attempt: string): ReturnType<typeof attemptPaths> {
    return attemptPaths(this.attemptDir(attempt));
  }
}

/** Shell that waits until a file is there: how tests hold an agent. */
export function waitFor(path: string): string {
  return `while [ ! -e '${path}' ]; do sleep 0.02; done`;
}

/** Shell that waits until a file has something in it. */
export function waitForText(path: string): string {
  return `while [ ! -s '${path}' ]; do sleep 0.02; done`;
}

/** Looks again and again, for what tells nobody when it changes. */
export async function eventually(look: () => boolean, what: string, msMax = 60_000): Promise<void> {
  for (const late = performance.now() + msMax; !look(); await delay(10)) {
    if (performance.now() > late) throw new Error(`waited in vain for ${what}`);
  }
}
