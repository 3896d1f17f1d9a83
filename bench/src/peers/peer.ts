import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Summary } from '../stats.ts';

/** What is measured beside Baton: the newest versions that run on Node 20. */
const VERSIONS = {
  'graphile-worker': '0.17.3',
  'pg-boss': '10.4.2',
  '@dbos-inc/dbos-sdk': '5.3.0',
  '@restatedev/restate-server': '1.7.12',
  '@restatedev/restate-sdk': '1.17.2',
  '@restatedev/restate-sdk-clients': '1.17.2',
} as const;
type Package = keyof typeof VERSIONS;

/** Beside the project, never in it: 250 MB. Another set of versions is another folder. */
const stamp = Object.values(VERSIONS).join('_');
const folder = join(fileURLToPath(new URL('../../../.cache/bench/', import.meta.url)), stamp);

/** One peer's figures. */
export interface PeerFigures {
  readonly name: string;
  /** How it was set up, in a few words. */
  readonly mode: string;
  readonly enqueuePerSecond: number;
  readonly jobsPerSecond: number;
  /** Idle system: from the call that adds a job to its handler; null where it polls or was not measured. */
  readonly dispatch: Summary | null;
}

/** Name and version, as the page shows them. */
export function titleOf(name: Package): string {
  return `${name
    .replace(/^@[^/]*\//, '')
    .replace('-server', '')
    .replace('-sdk', '')} ${VERSIONS[name]}`;
}

/** Installs the peers once. @throws {Error} when npm cannot */
export function installPeers(): void {
  if (existsSync(folder)) return;
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, 'package.json'), JSON.stringify({ private: true }));
  const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  process.stdout.write(`npm install ${wanted.join(' ')}  (into .cache/bench; 250 MB, once)\n`);
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...wanted], {
    cwd: partial,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status === 0) renameSync(partial, folder);
  rmSync(partial, { recursive: true, force: true });
  if (status !== 0) throw new Error(`npm could not install ${wanted.join(' ')}`);
}

/** A peer's module; named exports also when it is CommonJS. */
export async function load(name: Package): Promise<Record<string, unknown>> {
  const path = createRequire(join(folder, 'package.json')).resolve(name);
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const common = module['default'];
  return typeof common === 'object' || typeof common === 'function'
    ? { ...(common as Record<string, unknown>), ...module }
    : module;
}

/** A file of an installed package. */
export function fileOf(...parts: readonly string[]): string {
  return join(folder, 'node_modules', ...parts);
}

/** Resolves when `listen`'s function was called `count` times. */
export function countTo(count: number, listen: (tick: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    listen(() => {
      seen += 1;
      if (seen === count) resolve();
    });
  });
}

/** Adds one job after another to an idle system; milliseconds until each is handled. */
export async function oneByOne(
  samples: number,
  listen: (tick: () => void) => void,
  add: () => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const handled = new Promise<number>((resolve) => listen(() => resolve(performance.now())));
    const startedMs = performance.now();
    await add();
    took.push((await handled) - startedMs);
  }
  return took;
}

/** Jobs of one bulk submission, and submissions under way at a time: the same for all that take bulks. */
export const BULK = { size: 500, callers: 4 } as const;

/** Submits `count` jobs in bulks. */
export function addBulks(count: number, add: (size: number) => Promise<unknown>): Promise<void> {
  let left = count;
  return addFrom(BULK.callers, Math.ceil(count / BULK.size), () => {
    const size = Math.min(BULK.size, left);
    left -= size;
    return add(size);
  });
}

/** Calls `add` `count` times from `callers` at once. */
export async function addFrom(
  callers: number,
  count: number,
  add: () => Promise<unknown>,
): Promise<void> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await add();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
