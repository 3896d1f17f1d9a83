import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Git-ignored place for whatever may be fetched or made again. */
export const CACHE = join(ROOT, '.cache');

/** @param {string} path relative to the checkout */
export function fromRoot(path) {
  return join(ROOT, path);
}

/**
 * The script behind an installed tool, to be run by this very Node: no shell, no `.cmd` shims.
 * @param {string} packageName
 * @param {string} [binName] when the package has several
 * @returns {string}
 */
export function toolScript(packageName, binName = packageName) {
  const folder = fromRoot(`node_modules/${packageName}`);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const bin = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[binName];
  return join(folder, bin);
}

/** npm, as a command and its first arguments: the one that started us, else the one on PATH. */
export function npmCommand() {
  const running = process.env.npm_execpath ?? '';
  if (running.endsWith('npm-cli.js') && existsSync(running)) return [process.execPath, running];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}
