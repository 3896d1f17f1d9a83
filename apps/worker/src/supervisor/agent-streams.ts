import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { drainPipe, type StdioPipes } from './pipes.ts';
import type { LaunchStdin } from './records.ts';
import type { SpoolWriter } from './spool-writer.ts';

/** What `spawn` is given for the three streams. */
export type AgentStdio = ['ignore' | number, 'pipe' | number, 'pipe' | number];

interface Drain {
  readonly ended: Promise<void>;
  readonly destroy: () => void;
}

/** An agent's standard streams: into the spool on one side, from a file or nothing on the other. */
export class AgentStreams {
  readonly #pipes: StdioPipes | undefined;
  readonly #input: LaunchStdin;
  readonly #writers: { readonly stdout: SpoolWriter; readonly stderr: SpoolWriter };
  #inputFd: number | undefined;
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

  /** The agent's ends. @throws when the input file cannot be opened */
  open(): AgentStdio {
    const out = this.#pipes?.stdout.writeFd ?? 'pipe';
    const err = this.#pipes?.stderr.writeFd ?? 'pipe';
    if (this.#input.mode === 'none') return ['ignore', out, err];
    this.#inputFd = openSync(this.#input.path, 'r');
    return [this.#inputFd, out, err];
  }

  /** Takes our ends, and lets go of the agent's, so that their end is seen. */
  connect(child: ChildProcess): void {
    if (this.#inputFd !== undefined) closeSync(this.#inputFd);
    const { stdout, stderr } = this.#writers;
    if (this.#pipes === undefined) {
      this.#drains = [drainStream(child.stdout, stdout), drainStream(child.stderr, stderr)];
    } else {
      this.#connectPipes(this.#pipes);
    }
  }

  /** Resolves when nobody holds the agent's ends of the output any more and all of it is written. */
  async drained(): Promise<void> {
    await Promise.all(this.#drains.map((drain) => drain.ended));
  }

  destroy(): void {
    for (const drain of this.#drains) drain.destroy();
  }

  #connectPipes(pipes: StdioPipes): void {
    closeSync(pipes.stdout.writeFd);
    closeSync(pipes.stderr.writeFd);
    this.#drains = [
      drainPipe(pipes.stdout.readFd, this.#writers.stdout),
      drainPipe(pipes.stderr.readFd, this.#writers.stderr),
    ];
  }
}

/** The same as `drainPipe`, for the streams that Node makes itself. */
function drainStream(stream: Readable | null, writer: SpoolWriter): Drain {
  stream?.on('data', (chunk: Buffer) => {
    if (writer.write(chunk)) return;
    stream.pause();
    void writer.room().then(() => stream.resume());
  });
  return {
    ended: new Promise((resolve) => (stream === null ? resolve() : stream.once('close', resolve))),
    destroy: () => stream?.destroy(),
  };
}
