import { join, resolve, sep } from 'node:path';
import type { Env } from '../engine.ts';

/** Where Codex keeps its login and its conversations; undefined when `env` names no home at all. */
export function codexHome(env: Env): string | undefined {
  const own = env['CODEX_HOME'];
  if (own !== undefined && own !== '') return resolve(own);
  const home = env['HOME'];
  return home === undefined || home === '' ? undefined : join(home, '.codex');
}

/** Codex refuses to put its sandbox helpers under a temporary directory, and then every command fails. */
export function isTemporary(path: string, env: Env): boolean {
  return ['/tmp', env['TMPDIR'] ?? '/tmp'].some(
    (folder) => path === folder || path.startsWith(resolve(folder) + sep),
  );
}
