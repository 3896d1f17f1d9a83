import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Db } from '@baton/store';
import { freshPglite, freshPostgres, type BenchDatabase } from './database.ts';
import { measureDispatch } from './dispatch.ts';
import { measureFloor } from './floor.ts';
import { measureGrowth } from './growth.ts';
import { measureLifecycles, type LifecycleFigures } from './lifecycle.ts';
import { measureDbos } from './peers/dbos.ts';
import { measureGraphile } from './peers/graphile.ts';
import { installPeers, type PeerFigures } from './peers/peer.ts';
import { measurePgBoss } from './peers/pg-boss.ts';
import { measureRestate } from './peers/restate.ts';
import { report } from './report.ts';
import { keepResults, readResults, type Results } from './results.ts';
import { measureChains, measureFanIn, measureFanOut } from './shapes.ts';
import { measureAgentStart } from './start-latency.ts';

/** A look at whether everything works: small, and nothing is written down. */
const isQuick = process.argv.includes('--quick');
const scale = isQuick ? 0.05 : 1;
const rounds = isQuick ? 1 : 5;
/** Rounds before them that do not count: everybody's code is compiled by then. */
const warmUps = isQuick ? 0 : 1;
const lifecycleCount = 10_000 * scale;
/** With the task they hang on, as many as a run may have. */
const leaves = Math.floor(9_999 * scale);
const samples = isQuick ? 20 : 300;

const serverUrl = process.env['BATON_TEST_DATABASE_URL'] ?? '';
if (serverUrl === '') {
  process.stderr.write('No PostgreSQL: start the benchmarks with `npm run bench`.\n');
  process.exit(69);
}

/** The measurements by name; `npm run bench -- --only name` runs one and keeps the others' figures. */
const MEASUREMENTS: Readonly<Record<keyof Results, () => Promise<Results>>> = {
  lifecycles: async () => ({ lifecycles: await sideBySide() }),
  dispatch: async () => ({
    dispatch: {
      postgres: await onPostgres((db) => measureDispatch(db, samples, 0)),
      pglite: await onPglite((db) => measureDispatch(db, samples, 0)),
      afterPause: await onPostgres((db) => measureDispatch(db, samples, 20)),
    },
  }),
  shapes: async () => ({
    shapes: {
      leaves,
      fanOutMs: {
        postgres: await onPostgres((db) => measureFanOut(db, leaves)),
        pglite: await onPglite((db) => measureFanOut(db, leaves)),
      },
      fanInPerSecond: await onPostgres((db) => measureFanIn(db, leaves)),
      chainStepsPerSecond: await onPostgres((db) => measureChains(db, 10, 1_000 * scale)),
    },
  }),
  growth: async () => ({
    growth: await measureGrowth(
      serverUrl,
      isQuick ? [500, 1_000, 20_000] : [1_000, 100_000, 1_000_000],
      isQuick ? 1_000 : 100_000,
    ),
  }),
  start: async () => ({ start: await measureAgentStart(isQuick ? 3 : 40) }),
};

/** One round after another, so that what else the machine does hits all alike. */
async function sideBySide(): Promise<NonNullable<Results['lifecycles']>> {
  installPeers();
  const postgres: LifecycleFigures[] = [];
  const pglite: LifecycleFigures[] = [];
  const floor: number[] = [];
  const peers: PeerFigures[][] = [];
  for (let round = -warmUps; round < rounds; round++) {
    if (round === 0) for (const figures of [postgres, pglite, floor, ...peers]) figures.length = 0;
    postgres.push(await onPostgres((db) => measureLifecycles(db, lifecycleCount)));
    pglite.push(await onPglite((db) => measureLifecycles(db, lifecycleCount / 2)));
    floor.push(await measureFloor(serverUrl, lifecycleCount));
    const each = [
      () => measureGraphile(serverUrl, 'default', 5_000 * scale),
      () => measureGraphile(serverUrl, 'tuned', 20_000 * scale),
      () => measurePgBoss(serverUrl, 10_000 * scale),
      () => measureDbos(serverUrl, 1_000 * scale),
      () => measureRestate(3_000 * scale),
    ];
    for (const [index, measure] of each.entries()) (peers[index] ??= []).push(await measure());
    process.stdout.write(
      `${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}: Baton ${Math.round(postgres.at(-1)?.perSecond ?? 0)}/s on PostgreSQL, ` +
        `${Math.round(pglite.at(-1)?.perSecond ?? 0)}/s on PGlite, floor ${Math.round(floor.at(-1) ?? 0)}/s\n`,
    );
  }
  return { rounds, count: lifecycleCount, postgres, pglite, floor, peers };
}

async function onPglite<T>(measure: (db: Db) => Promise<T>): Promise<T> {
  return using(await freshPglite(), measure);
}

async function onPostgres<T>(measure: (db: Db) => Promise<T>): Promise<T> {
  return using(await freshPostgres(serverUrl), measure);
}

async function using<T>({ db, close }: BenchDatabase, measure: (db: Db) => Promise<T>): Promise<T> {
  try {
    return await measure(db);
  } finally {
    await close();
  }
}

const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1]
  : undefined;
if (only !== undefined && !Object.hasOwn(MEASUREMENTS, only)) {
  process.stderr.write(
    `There is no measurement ${only}; there are ${Object.keys(MEASUREMENTS).join(', ')}.\n`,
  );
  process.exit(64);
}
let results: Results = only === undefined ? {} : readResults();
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (only !== undefined && name !== only) continue;
  const startedMs = performance.now();
  results = { ...results, ...(await measure()) };
  if (!isQuick) keepResults(results);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`${name}: measured in ${seconds} s\n`);
}
const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
if (isQuick) {
  process.stdout.write(report(results));
} else {
  writeFileSync(page, report(results));
  process.stdout.write(`wrote ${page}\n`);
}
// Peers leave timers and connections of their own behind.
process.exit(0);
