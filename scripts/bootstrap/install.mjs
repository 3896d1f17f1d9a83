import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT, npmCommand } from './paths.mjs';
import { capture } from './process.mjs';

/** @typedef {Record<string, { version?: string, optional?: boolean, link?: boolean }>} LockPackages */

/**
 * What has to be installed before anything else; undefined when all is there.
 * npm writes `node_modules/.package-lock.json` as its last act, so a broken install has none.
 * @param {string} [root]
 * @returns {string | undefined} why an install is due
 */
export function installReason(root = ROOT) {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return 'node_modules is missing or incomplete';
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(installedFile);
  return firstDifference(wanted, installed);
}

/**
 * Compares the lockfile with npm's record of what it installed. Optional packages may be absent:
 * they belong to other platforms.
 * @param {LockPackages} wanted
 * @param {LockPackages} installed
 * @returns {string | undefined}
 */
export function firstDifference(wanted, installed) {
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && optional !== true) return `${path} is not installed`;
    if (found !== undefined && found.version !== version) {
      return `${path} is ${found.version}, the lockfile says ${version}`;
    }
  }
  const extra = Object.keys(installed).find((path) => !(path in wanted));
  return extra === undefined ? undefined : `${extra} is not in the lockfile`;
}

/** @returns {Promise<import('./report.mjs').StepResult>} */
export async function install() {
  const reason = installReason();
  if (reason === undefined) return { ok: true, note: 'up to date' };
  process.stderr.write(`npm ci  (${reason}; takes a minute the first time)\n`);
  const { code, output } = await capture(
    [...npmCommand(), 'ci', '--include=dev', '--include=optional', ...npmCacheFlags()],
    { env: npmEnv() },
  );
  if (code === 0) return { ok: true };
  return { ok: false, output: `${output}\nnpm ci failed (exit code ${code}).` };
}

/** Leaves no trace in the workspaces, and overrides a user's settings that would break a package. */
const SEPARATE_INSTALL_FLAGS = [
  '--no-save',
  '--no-package-lock',
  '--no-audit',
  '--no-fund',
  '--include=optional',
  '--ignore-scripts=false',
  '--workspaces=false',
];

/**
 * Installs packages of exact versions into a folder of their own, outside the workspaces.
 * @param {string} folder absolute; holds its own package.json afterwards
 * @param {readonly string[]} packages `name@version`
 */
export function installInto(folder, packages) {
  return capture(
    [
      ...npmCommand(),
      'install',
      '--prefix',
      folder,
      ...SEPARATE_INSTALL_FLAGS,
      ...npmCacheFlags(),
      ...packages,
    ],
    { cwd: folder, env: npmEnv() },
  );
}

/** npm's own variables of the surrounding `npm test` must not steer another install. */
function npmEnv() {
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  for (const name of ['npm_config_local_prefix', 'npm_config_workspaces', 'npm_config_workspace']) {
    delete (/** @type {NodeJS.ProcessEnv} */ (env)[name]);
  }
  return env;
}

/** Without a usable home npm would write its cache into a folder called `~`, or fail. */
function npmCacheFlags() {
  const home = process.env.HOME ?? process.env.USERPROFILE ?? '';
  if (process.env.npm_config_cache || (home !== '' && isWritable(home))) return [];
  const folder = join(CACHE, 'npm');
  mkdirSync(folder, { recursive: true });
  return ['--cache', folder];
}

/** @param {string} folder */
function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} file
 * @returns {LockPackages}
 */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
