import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program itself as a file: what a child process is started with. */
export const BATON_BIN: string = fileURLToPath(new URL('../../bin/baton.js', import.meta.url));

/**
 * The line that puts `baton` on PATH in a shell; undefined where it is already there. In a checkout it
 * lies in `node_modules/.bin`, elsewhere beside this file.
 */
export function pathLine(path: string): string | undefined {
  if (isOnPath('baton', path)) return undefined;
  return `export PATH="${binDir()}:$PATH"`;
}

/** Whether a folder of PATH has a file of this name. */
export function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, program)));
}

function binDir(): string {
  let dir = dirname(BATON_BIN);
  for (let parent = dirname(dir); parent !== dir; parent = dirname(dir)) {
    const linked = join(parent, 'node_modules', '.bin');
    if (existsSync(join(linked, 'baton'))) return linked;
    dir = parent;
  }
  return dirname(BATON_BIN);
}
