import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, platform, totalmem } from 'node:os';

/** What a machine is, as a worker declares it. `memory_bytes` is all of it, not what is free. */
export interface MachineFacts {
  /** `linux`, `macos`, `windows`, or what Node calls it. */
  readonly os: string;
  /** `x64`, `arm64` and so on, as Node calls it. */
  readonly arch: string;
  readonly cpu: number;
  readonly memory_bytes: number;
  /** On the file system of the data directory; 0 when it cannot be told. */
  readonly disk_free_bytes: number;
}

const OS_NAMES: Readonly<Record<string, string>> = { darwin: 'macos', win32: 'windows' };

/** Looks at this machine now. */
export async function readMachineFacts(dataDir: string): Promise<MachineFacts> {
  const disk = await statfs(dataDir).catch(() => undefined);
  return {
    os: OS_NAMES[platform()] ?? platform(),
    arch: arch(),
    cpu: availableParallelism(),
    memory_bytes: totalmem(),
    disk_free_bytes: disk === undefined ? 0 : disk.bavail * disk.bsize,
  };
}
