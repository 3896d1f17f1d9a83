import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Check, Finding } from './finding.ts';
import { findProgramVersion } from './program-version.ts';

const NODE_MIN = [20, 19] as const;
const GIT_MIN = [2, 31] as const;
const DISK_BYTES_WARN = 2 * 1024 ** 3;
const DISK_BYTES_FAIL = 200 * 1024 ** 2;

const node: Check = {
  name: 'node',
  async look() {
    const { version } = process;
    return isAtLeast(version, NODE_MIN)
      ? { level: 'ok', text: version }
      : { level: 'fail', text: `${version} is too old`, fix: 'Install Node 20.19 or newer.' };
  },
};

const git: Check = {
  name: 'git',
  async look({ env }) {
    const found = await findProgramVersion('git', ['--version'], env);
    const fix =
      'Install git 2.31 or newer with your package manager (apt install git, brew install git).';
    if (found === undefined) return { level: 'fail', text: 'not found', fix };
    return isAtLeast(found.text, GIT_MIN)
      ? { level: 'ok', text: found.text }
      : { level: 'fail', text: `${found.text} is too old`, fix };
  },
};

const tmux: Check = {
  name: 'tmux',
  async look({ env }) {
    const found = await findProgramVersion('tmux', ['-V'], env);
    return found === undefined
      ? {
          level: 'note',
          text: 'not found; terminal sessions run without it',
          fix: 'apt install tmux, brew install tmux',
        }
      : { level: 'ok', text: found.text };
  },
};

const dataDir: Check = {
  name: 'data directory',
  async look({ config }) {
    const dir = config.dataDir;
    try {
      const there = nearestExisting(dir);
      accessSync(there, constants.W_OK);
      if (there === dir) accessSync(dir, constants.R_OK | constants.X_OK);
      return { level: 'ok', text: there === dir ? dir : `${dir} (made at the first start)` };
    } catch {
      return {
        level: 'fail',
        text: `${dir} cannot be written`,
        fix: `Give it to your user (chown -R "$(id -un)" ${dir}) or choose another: --data-dir.`,
      };
    }
  },
};

const disk: Check = {
  name: 'disk space',
  async look({ config }): Promise<Finding> {
    const { bavail, bsize } = statfsSync(nearestExisting(config.dataDir));
    const free = bavail * bsize;
    const text = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${config.dataDir}`;
    const fix = 'Make room, or choose a data directory on another disk: --data-dir.';
    if (free < DISK_BYTES_FAIL) return { level: 'fail', text, fix };
    return free < DISK_BYTES_WARN ? { level: 'warn', text, fix } : { level: 'ok', text };
  },
};

/** Free, or taken by the control plane itself: both are well. */
const port: Check = {
  name: 'port',
  async look({ config, client }) {
    const { host, port: number } = config;
    if (number === 0) return { level: 'ok', text: 'any free one' };
    if (await isFree(host, number)) return { level: 'ok', text: `${host}:${number} is free` };
    const isBaton = await client()
      .call('livez')
      .then(
        () => config.target.url.endsWith(`:${number}`),
        () => false,
      );
    return isBaton
      ? { level: 'ok', text: `${host}:${number} is served by the control plane` }
      : {
          level: 'warn',
          text: `${host}:${number} is taken by another program`,
          fix: `Find it (ss -ltnp "sport = :${number}") or start with another: baton up --port 0.`,
        };
  },
};

/** Checks of the machine alone, without a control plane. */
export const MACHINE_CHECKS: readonly Check[] = [node, git, dataDir, disk, port, tmux];

/** `v20.19.0`, `git version 2.39.5`: the first two numbers count. */
export function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const found = /(\d+)\.(\d+)/.exec(text);
  if (found === null) return false;
  const [, first, second] = found.map(Number);
  return first !== undefined && second !== undefined
    ? first > major || (first === major && second >= minor)
    : false;
}

function nearestExisting(path: string): string {
  let dir = path;
  while (!existsSync(dir) && dirname(dir) !== dir) dir = dirname(dir);
  return dir;
}

function isFree(host: string, number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port: number, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
