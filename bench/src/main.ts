import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onPglite, onPostgres } from './database.ts';
import { measureDispatch } from './dispatch.ts';
import { measureGrowth } from './growth.ts';
import { report } from './report.ts';
import { keepResults, readResults, type Results } from './results.ts';
import { isQuick, leaves, samples, scale, serverUrl } from './settings.ts';
import { measureChains, measureFanIn, measureFanOut } from './shapes.ts';
import { measureSide, sideBySide } from './side-by-side.ts';
import { measureAgentStart } from './start-latency.ts';

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

const sideAt = process.argv.indexOf('--side');
if (sideAt >= 0) {
  await measureSide(process.argv[sideAt + 1] ?? '', process.argv[sideAt + 2] ?? '');
  // Peers leave timers and connections of their own behind.
  process.exit(0);
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
process.exit(0);
