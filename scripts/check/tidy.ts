import { posix } from 'node:path';
import type { SourceFile } from './files.ts';
import { missingOptionals, type LockPackages } from './lockfile.ts';

/** Each check takes files and gives its faults, as `path:line: why`; none means all is well. */
export type TidyCheck = (files: readonly SourceFile[]) => readonly string[];

const codeFile = /\.(?:tsx?|m?js)$/;

/** Markers of unfinished work never land. Written apart, so that this file does not find itself. */
const markers = new RegExp(`\\b(?:${['FIX', 'ME'].join('')}|${['X', 'XX'].join('')})\\b`);

export const leftoverMarkers: TidyCheck = (files) =>
  linesWhere(files, (line) => (markers.test(line) ? 'leftover marker' : undefined));

/** A focused test silences all others of its file. */
const focused = /\b(?:test|it|describe|bench)(?:\.\w+)*\.only\b/;

export const focusedTests: TidyCheck = (files) =>
  linesWhere(
    files.filter(({ path }) => codeFile.test(path) && !path.startsWith('scripts/check/')),
    (line) => (focused.test(line) ? 'focused test' : undefined),
  );

/**
 * Places, hosts and papers that belong to one machine, one registry or one conversation: the project
 * speaks of itself alone. Written apart, like the markers.
 */
const bannedWords: readonly RegExp[] = [
  new RegExp(`(?<![\\w.~})*-])/${'work'}/`, 'i'),
  new RegExp(`\\.\\./${'shared'}/`, 'i'),
  new RegExp(
    `\\b(?:${['DESIGN', 'STYLE', 'PROMISES', 'FLOWS'].join('|')})(?:\\.md\\b|,? (?:section )?\\d)`,
  ),
  new RegExp(`\\b${'research'}/[a-z-]+\\.md`, 'i'),
  new RegExp(`${'npm'}js\\.(?:org|com)`, 'i'),
  new RegExp(`${'yarn'}pkg\\.com`, 'i'),
  new RegExp(`\\b${'registry'}\\.[a-z0-9-]+\\.(?:org|com|dev|io|net|cloud)\\b`, 'i'),
];

export const bannedText: TidyCheck = (files) =>
  linesWhere(files, (line) => {
    const banned = bannedWords.find((word) => word.test(line));
    return banned === undefined ? undefined : `banned text ${banned.exec(line)?.[0] ?? ''}`;
  });

/** The lockfile must install from whatever registry the user's npm is set to. */
export const lockfileHosts: TidyCheck = (files) =>
  linesWhere(
    files.filter(({ path }) => path === 'package-lock.json'),
    (line) => (/"resolved":\s*"[a-z+]+:\/\//.test(line) ? 'the lockfile names a host' : undefined),
  );

/** `npm ci` refuses a lockfile that lacks a platform package, on whatever platform it runs. */
export const completeLockfile: TidyCheck = (files) =>
  files
    .filter(({ path }) => path === 'package-lock.json')
    .flatMap(({ path, text }) =>
      missingOptionals((JSON.parse(text) as { packages: LockPackages }).packages).map(
        ({ name }) => `${path}:1: lacks ${name}; run npx tsx scripts/dev/complete-lockfile.ts`,
      ),
    );

/** Versions are exact, so that everyone runs the same and an older Node gets no silent substitute. */
export const exactVersions: TidyCheck = (files) =>
  files
    .filter(({ path }) => /(?:^|\/)package\.json$/.test(path))
    .flatMap(({ path, text }) =>
      dependenciesOf(text)
        .filter(([name, version]) => !name.startsWith('@baton/') && !/^\d/.test(version))
        .map(([name, version]) => `${path}:1: ${name} is ${version}, write an exact version`),
    );

/** Each dependency has its line in docs/dependencies.md, and the page names no other. */
export const documentedDependencies: TidyCheck = (files) => {
  const page = files.find(({ path }) => path === 'docs/dependencies.md');
  const documented = new Set(
    [...(page?.text ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? ''),
  );
  const used = new Set(
    files
      .filter(({ path }) => /(?:^|\/)package\.json$/.test(path))
      .flatMap(({ text }) => dependenciesOf(text).map(([name]) => name))
      .filter((name) => !name.startsWith('@baton/')),
  );
  return [
    ...[...used].filter((name) => !documented.has(name)).map((name) => `${name} has no line`),
    ...[...documented].filter((name) => !used.has(name)).map((name) => `${name} is not used`),
  ].map((why) => `docs/dependencies.md:1: ${why}`);
};

function dependenciesOf(manifest: string): readonly (readonly [string, string])[] {
  const parsed = JSON.parse(manifest) as Record<string, Record<string, string> | undefined>;
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((key) =>
    Object.entries(parsed[key] ?? {}),
  );
}

/** Migrations are numbered from 1 without gaps, each number once. */
export const consecutiveMigrations: TidyCheck = (files) =>
  files
    .filter(({ path }) => path.startsWith('packages/store/migrations/'))
    .map(({ path }) => path)
    .toSorted()
    .flatMap((path, index) => {
      const number = String(index + 1).padStart(4, '0');
      return new RegExp(`/${number}-[a-z0-9-]+\\.sql$`).test(path)
        ? []
        : [`${path}:1: expected ${number}-what.sql here`];
    });

/** A list of cases may be long: splitting it makes it no clearer. */
const testCode = /\.test\.tsx?$|\/testing\//;

/** Past this a file is split by noun, or stands in the list of exemptions with its reason. */
export const linesMax = 400;

/** Long files; `exempt` holds the paths allowed to be long, and may not hold others. */
export function longFiles(
  files: readonly SourceFile[],
  exempt: ReadonlyMap<string, string>,
): readonly string[] {
  const long = files
    .filter(({ path }) => codeFile.test(path) || path.endsWith('.css'))
    .filter(({ path }) => !testCode.test(path))
    .filter(({ text }) => text.split('\n').length > linesMax)
    .map(({ path }) => path);
  return [
    ...long
      .filter((path) => !exempt.has(path))
      .map((path) => `${path}:${linesMax}: longer than ${linesMax} lines`),
    ...[...exempt.keys()]
      .filter((path) => !long.includes(path))
      .map((path) => `${path}:1: is exempt from the size limit but does not need to be`),
  ];
}

/** Each decision record is `NNNN-words.md`, numbered once, and listed in the index. */
export const decisionRecords: TidyCheck = (files) => {
  const records = files
    .map(({ path }) => path)
    .filter((path) => path.startsWith('docs/adr/') && path !== 'docs/adr/README.md')
    .map((path) => posix.basename(path));
  const index = files.find(({ path }) => path === 'docs/adr/README.md')?.text ?? '';
  const numbers = records.map((name) => name.slice(0, 4));
  return records.flatMap((name, position) => [
    ...(/^\d{4}-[a-z0-9-]+\.md$/.test(name) ? [] : [`docs/adr/${name}:1: name it NNNN-words.md`]),
    ...(numbers.indexOf(name.slice(0, 4)) === position
      ? []
      : [`docs/adr/${name}:1: the number is taken`]),
    ...(index.includes(`(${name})`)
      ? []
      : [`docs/adr/${name}:1: not listed in docs/adr/README.md`]),
  ]);
};

function linesWhere(
  files: readonly SourceFile[],
  why: (line: string) => string | undefined,
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const fault = why(line);
      return fault === undefined ? [] : [`${path}:${index + 1}: ${fault}`];
    }),
  );
}
