import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import type { SourceFile } from './files.ts';
import { layers, testTools, type LayerRule } from './import-table.ts';
import { importsOf, type ImportLine } from './imports.ts';

/** The parts of a package.json that layers depend on. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

interface Place {
  readonly file: SourceFile;
  readonly folder: string;
  readonly rule: LayerRule;
  readonly isTest: boolean;
  readonly manifests: ReadonlyMap<string, Manifest>;
}

const codeFile = /^(?:(?:packages|apps)\/[^/]+\/src|e2e|bench|sim)\/.*\.tsx?$/;
const testFile = /\.test\.tsx?$|\/src\/testing\/|^(?:e2e|bench)\//;

/**
 * Every import that the table does not allow, as `path:line: why`. `manifests` are the package.json
 * files by workspace folder.
 */
export function layerFaults(
  files: readonly SourceFile[],
  manifests: ReadonlyMap<string, Manifest>,
): readonly string[] {
  const sources = files.filter(({ path }) => codeFile.test(path));
  return [...sources.flatMap((file) => fileFaults(file, manifests)), ...lazyFaults(sources)];
}

function fileFaults(file: SourceFile, manifests: ReadonlyMap<string, Manifest>): readonly string[] {
  const folder = workspaceOf(file.path);
  const rule = layers[folder];
  if (rule === undefined) return [`${file.path}:1: ${folder} is not in the import table`];
  const place = { file, folder, rule, isTest: testFile.test(file.path), manifests };
  return importsOf(file.text).flatMap((line) => {
    const why = whyRefused(line, place);
    return why === undefined ? [] : [`${file.path}:${line.line}: ${why}`];
  });
}

function workspaceOf(path: string): string {
  const depth = /^(?:packages|apps)\//.test(path) ? 2 : 1;
  return path.split('/').slice(0, depth).join('/');
}

function whyRefused(line: ImportLine, place: Place): string | undefined {
  const { specifier } = line;
  if (specifier.startsWith('.')) return relativeFault(specifier, place);
  if (specifier.startsWith('node:')) {
    return place.rule.node || place.isTest ? undefined : `${place.folder} may not use ${specifier}`;
  }
  if (builtinModules.includes(specifier)) return `write node:${specifier}`;
  const packageName = packageOf(specifier);
  if (place.isTest && testTools.includes(packageName)) return undefined;
  if (packageName.startsWith('@baton/')) return oursFault(line, packageName, place);
  return outsideFault(packageName, place);
}

function relativeFault(specifier: string, { file, folder }: Place): string | undefined {
  const target = posix.join(posix.dirname(file.path), specifier);
  if (!target.startsWith(`${folder}/`)) {
    return `${specifier} leaves the workspace; import the other one by its name`;
  }
  if (!/\.(?:tsx?|json|css|svg|sql)(?:\?\w+)?$/.test(specifier)) {
    return `${specifier} has no file ending`;
  }
  return undefined;
}

function oursFault(line: ImportLine, packageName: string, place: Place): string | undefined {
  const name = packageName.slice('@baton/'.length);
  const { rule, folder, isTest } = place;
  if (rule.lazy?.includes(name) === true) {
    return line.kind === 'static' ? `${packageName} only by \`await import\`` : undefined;
  }
  if (!rule.ours.includes(name)) {
    return isTest && name === 'testkit' ? undefined : `${folder} may not import ${packageName}`;
  }
  const subpath = `.${line.specifier.slice(packageName.length)}`;
  const target = [...place.manifests.values()].find((manifest) => manifest.name === packageName);
  return target?.exports !== undefined && !(subpath in target.exports)
    ? `${line.specifier} is not exported by ${packageName}`
    : undefined;
}

function outsideFault(packageName: string, place: Place): string | undefined {
  const { rule, folder, isTest } = place;
  const manifest = place.manifests.get(folder);
  const runtime = manifest?.dependencies ?? {};
  const dev = manifest?.devDependencies ?? {};
  const mayUse = rule.outside === 'declared' || rule.outside.includes(packageName);
  if (!mayUse && !(isTest && packageName in dev)) return `${folder} may not import ${packageName}`;
  return packageName in runtime || packageName in dev
    ? undefined
    : `${packageName} is not in ${folder}/package.json`;
}

/** A program started by a command has one door: the file that imports it. */
function lazyFaults(sources: readonly SourceFile[]): readonly string[] {
  return Object.entries(layers).flatMap(([folder, { lazy = [] }]) =>
    lazy.flatMap((name) => {
      const doors = sources
        .filter(({ path }) => path.startsWith(`${folder}/`) && !testFile.test(path))
        .filter(({ text }) =>
          importsOf(text).some(({ specifier }) => packageOf(specifier) === `@baton/${name}`),
        )
        .map(({ path }) => path);
      return doors.length > 1 ? [`@baton/${name} is imported in ${doors.join(' and ')}`] : [];
    }),
  );
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
