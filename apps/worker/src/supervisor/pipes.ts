import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { runtimeDir } from './socket-path.ts';

/** Both ends of one pipe. */
export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** The two outputs of an agent that is not started yet. */
export interface StdioPipes {
  readonly stdout: Pipe;
  readonly stderr: Pipe;
}

const READ_BYTES = 64 * 1024;

/**
 * Real pipes, made as unlinked FIFOs. Node's own "pipes" are socket pairs, through which an agent's
 * script cannot write to /dev/stderr (ENXIO); a plain file would be truncated by the same line.
 * Undefined where there is no `mkfifo`, and on macOS, where /dev/stderr is no open but a dup: there
 * Node's own do. Input is always Node's: opening /dev/stdin of a FIFO whose writer is done would hang.
 */
export function openPipes(): StdioPipes | undefined {
  if (process.platform !== 'linux') return undefined;
  const dir = runtimeDir();
  const stem = join(dir, `${process.pid}-${randomBytes(4).toString('hex')}`);
  const paths = { stdout: `${stem}.1`, stderr: `${stem}.2` };
  try {
    execFileSync('mkfifo', ['-m', '600', paths.stdout, paths.stderr], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return {
    stdout: openPipe(paths.stdout),
    stderr: openPipe(paths.stderr),
  };
}

/** Takes bytes at once; false: it takes no more until `room` resolves. */
export interface ByteSink {
  write(bytes: Uint8Array): boolean;
  room(): Promise<void>;
}

/**
 * Hands every byte of a pipe to `sink` until all writers have closed it; resolves then. One buffer
 * serves all reads, so the sink must be done with its argument when it returns. While it has no room
 * nothing is read: whoever writes waits.
 */
export function drainPipe(
  readFd: number,
  sink: ByteSink,
): {
  readonly ended: Promise<void>;
  readonly destroy: () => void;
} {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const socket = new Socket({
    fd: readFd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytesRead: number) => {
        if (sink.write(buffer.subarray(0, bytesRead))) return true;
        void sink.room().then(() => socket.resume());
        return false;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => socket.destroy());
  socket.once('end', () => socket.destroy());
  return { ended, destroy: () => socket.destroy() };
}

/** Opens both ends, blocking as a program expects, without waiting for the other side. */
function openPipe(path: string): Pipe {
  // A reader that does not block lets both others be opened at once.
  const probeFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  const readFd = openSync(path, constants.O_RDONLY);
  closeSync(probeFd);
  unlinkSync(path);
  return { readFd, writeFd };
}
