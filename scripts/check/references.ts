import { posix } from 'node:path';
import type { SourceFile } from './files.ts';

interface Parsed {
  readonly references?: readonly { readonly path: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Compiled by the bundler, not by project references. */
const notReferenced = new Set(['apps/dashboard', 'e2e', 'bench', 'sim']);

/**
 * Project references that do not follow the workspaces: each compiled workspace is in both lists of
 * the root, and refers to every workspace of ours that its package.json depends on. A missing one
 * shows only as a stale or failing build on a clean clone.
 */
export function referenceFaults(files: readonly SourceFile[]): readonly string[] {
  const read = (path: string): Parsed | undefined => {
    const file = files.find((candidate) => candidate.path === path);
    return file === undefined ? undefined : (JSON.parse(file.text) as Parsed);
  };
  const workspaces = files
    .map(({ path }) => /^(.+)\/package\.json$/.exec(path)?.[1] ?? '')
    .filter((folder) => folder !== '' && !notReferenced.has(folder));
  const folderOf = new Map(
    workspaces.map((folder) => [`@baton/${posix.basename(folder)}`, folder]),
  );
  const rootLists = ['tsconfig.build.json', 'tsconfig.tests.json'].flatMap((config) =>
    missing(config, '.', workspaces, read(config)),
  );
  const own = workspaces.flatMap((folder) => {
    const wanted = Object.keys(read(`${folder}/package.json`)?.dependencies ?? {})
      .map((name) => folderOf.get(name))
      .filter((target) => target !== undefined);
    return missing(`${folder}/tsconfig.json`, folder, wanted, read(`${folder}/tsconfig.json`));
  });
  return [...rootLists, ...own];
}

function missing(
  config: string,
  base: string,
  wanted: readonly string[],
  parsed: Parsed | undefined,
): readonly string[] {
  const referenced = (parsed?.references ?? []).map(({ path }) => posix.join(base, path));
  return wanted
    .filter((folder) => !referenced.includes(folder))
    .map((folder) => `${config}:1: has no reference to ${folder}`);
}
