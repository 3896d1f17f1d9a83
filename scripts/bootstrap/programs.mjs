import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, userEnv } from './process.mjs';

/**
 * Absolute paths of everything on PATH with one of these names, in the order of PATH.
 * @param {readonly string[]} names
 * @returns {string[]}
 */
export function onPath(names) {
  const folders = (userEnv().PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .filter((path) => isExecutable(path));
}

/**
 * The first of these programs that runs, with what it says about its version. Being there is not
 * enough: a name on PATH may be a stub that only tells how to install the real thing.
 * @param {readonly string[]} paths
 * @param {string} [versionFlag]
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ path: string, version: string } | undefined>}
 */
export async function firstThatRuns(paths, versionFlag = '--version', options = {}) {
  for (const path of paths) {
    const { code, output } = await capture([path, versionFlag], { timeout: 20_000, ...options });
    const version = output
      .split('\n')
      .map((line) => line.trim())
      .find((line) => /\d+\.\d+/.test(line));
    if (code === 0 && version !== undefined) return { path, version };
  }
  return undefined;
}

/** Whether Debian packages may be installed by us; when not, why not. */
export function aptPermission() {
  if (process.env.BATON_TEST_APT === '0') return { allowed: false, why: 'BATON_TEST_APT=0' };
  if (process.getuid?.() !== 0) return { allowed: false, why: 'not root' };
  if (!existsSync('/etc/debian_version') || onPath(['apt-get']).length === 0) {
    return { allowed: false, why: 'not a Debian system' };
  }
  return { allowed: true, why: '' };
}

/**
 * Installs Debian packages: one update, one install, each printed before it runs.
 * @param {readonly string[]} packages
 * @returns {Promise<import('./report.mjs').StepResult>}
 */
export async function aptInstall(packages) {
  const lock = ['-o', 'DPkg::Lock::Timeout=300'];
  const commands = [
    ['apt-get', ...lock, '-qq', 'update'],
    ['apt-get', ...lock, '-qq', 'install', '-y', '--no-install-recommends', ...packages],
  ];
  for (const command of commands) {
    process.stdout.write(`${command.join(' ')}\n`);
    const { code, output } = await capture(command, {
      env: { ...userEnv(), DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (code !== 0) return { ok: false, output: output.split('\n').slice(-20).join('\n') };
  }
  return { ok: true };
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
