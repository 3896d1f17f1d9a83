import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = resolve(fileURLToPath(import.meta.url), '../../..');

/** A file of the project, with its path from the root in forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const skippedFolders = new Set(['node_modules', 'dist', 'coverage']);
const hiddenFolders = new Set(['.ci', '.github']);
const textFile =
  /\.(?:tsx?|m?js|jsonc?|md|sql|ya?ml|css|html|sh|svg)$|^(?:\.ci\/run|[^/]*LICENSE)$/;

/** All text files of the project, sorted by path. Walks the disk, so that a checkout without git works too. */
export function projectFiles(folder = root): readonly SourceFile[] {
  return walk(folder)
    .map((path) => relative(folder, path).replaceAll('\\', '/'))
    .filter((path) => textFile.test(path))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
    if (skippedFolders.has(entry.name)) return [];
    if (entry.name.startsWith('.') && !hiddenFolders.has(entry.name)) return [];
    return walk(path);
  });
}
