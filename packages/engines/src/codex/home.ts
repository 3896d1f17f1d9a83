import { join, resolve, sep } from 'node:path';
import type { Env } from '../engine.ts';

/** Where Codex keeps its login and its conversations; undefined when `env` names no home at all. */
export function codexHome(env: Env): string | undefined {
  const own = env['CODEX_HOME'];
  if (own !== undefined && own !== '') return resolve(own);
  const home = env['HOME'];
  return home === undefined || home === '' ? undefined : join(home, '.codex');
}

/** Codex does not put its helper programs under the temporary directory; without them patches fail. */
export function isTemporary(path: string, env: Env): boolean {
  const own = env['TMPDIR'];
  const folder = resolve(own === undefined || own === '' ? '/tmp' : own);
  return path === folder || path.startsWith(folder + sep);
}
