import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { drainPipe, type StdioPipes } from './pipes.ts';
import type { LaunchStdin } from './records.ts';
import type { SpoolWriter } from './spool-writer.ts';

/** What `spawn` is given for the three streams. */
export type AgentStdio = ['ignore' | 'pipe' | number, 'pipe' | number, 'pipe' | number];

interface Drain {
  readonly ended: Promise<void>;
  readonly destroy: () => void;
}

const STDIN_WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** An agent's standard streams: into the spool on one side, from a file or the daemon on the other. */
export class AgentStreams {
  readonly #pipes: StdioPipes | undefined;
  readonly #input: LaunchStdin;
  readonly #writers: { readonly stdout: SpoolWriter; readonly stderr: SpoolWriter };
  #inputFd: number | undefined;
  #stdin: Writable | undefined;
  #stdinBytes = 0;
  #drains: readonly Drain[] = [];

  constructor(
    pipes: StdioPipes | undefined,
    input: LaunchStdin,
    writers: { readonly stdout: SpoolWriter; readonly stderr: SpoolWriter },
  ) {
    this.#pipes = pipes;
    this.#input = input;
    this.#writers = writers;
  }

  /** Bytes of input taken so far. */
  get stdinBytes(): number {
    return this.#stdinBytes;
  }

  /** The agent's ends. @throws when the input file cannot be opened */
  open(): AgentStdio {
    const out = this.#pipes?.stdout.writeFd ?? 'pipe';
    const err = this.#pipes?.stderr.writeFd ?? 'pipe';
    if (this.#input.mode === 'open') return ['pipe', out, err];
    if (this.#input.mode === 'none') return ['ignore', out, err];
    this.#inputFd = openSync(this.#input.path, 'r');
    return [this.#inputFd, out, err];
  }

  /** Takes our ends, and lets go of the agent's, so that their end is seen. */
  connect(child: ChildProcess): void {
    if (this.#inputFd !== undefined) closeSync(this.#inputFd);
    const { stdout, stderr } = this.#writers;
    this.#stdin = child.stdin ?? undefined;
    if (this.#pipes === undefined) {
      this.#drains = [drainStream(child.stdout, stdout), drainStream(child.stderr, stderr)];
    } else {
      this.#connectPipes(this.#pipes);
    }
    this.#stdin?.on('error', () => {
      // The agent closed its input: what it no longer reads is not our fault.
    });
  }

  /** Resolves when nobody holds the agent's ends of the output any more and all of it is written. */
  async drained(): Promise<void> {
    await Promise.all(this.#drains.map((drain) => drain.ended));
  }

  destroy(): void {
    for (const drain of this.#drains) drain.destroy();
    this.#stdin?.destroy();
  }

  /**
   * Gives the agent input. Bytes before `offset` were given already and are skipped. Resolves to the next
   * offset; undefined when it cannot be taken: input not open, too much waiting, or a gap.
   */
  feed(offset: number, data: Buffer, end: boolean): number | undefined {
    const stdin = this.#stdin;
    if (stdin === undefined || offset > this.#stdinBytes) return undefined;
    if (stdin.writableLength > STDIN_WAITING_BYTES_MAX) return undefined;
    const fresh = data.subarray(this.#stdinBytes - offset);
    if (fresh.byteLength > 0 && !stdin.writableEnded) stdin.write(fresh);
    this.#stdinBytes += fresh.byteLength;
    if (end && !stdin.writableEnded) stdin.end();
    return this.#stdinBytes;
  }

  #connectPipes(pipes: StdioPipes): void {
    closeSync(pipes.stdout.writeFd);
    closeSync(pipes.stderr.writeFd);
    this.#drains = [
      drainPipe(pipes.stdout.readFd, (bytes) => this.#writers.stdout.write(bytes)),
      drainPipe(pipes.stderr.readFd, (bytes) => this.#writers.stderr.write(bytes)),
    ];
  }
}

/** The same as `drainPipe`, for the streams that Node makes itself. */
function drainStream(stream: Readable | null, writer: SpoolWriter): Drain {
  stream?.on('data', (chunk: Buffer) => writer.write(chunk));
  return {
    ended: new Promise((resolve) => (stream === null ? resolve() : stream.once('close', resolve))),
    destroy: () => stream?.destroy(),
  };
}
