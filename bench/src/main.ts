import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freshPglite, freshPostgres } from './database.ts';
import { measureDispatch } from './dispatch.ts';
import { measureLifecycles } from './lifecycle.ts';
import { installPeers, measureGraphile, measurePgBoss, type PeerFigures } from './peers.ts';
import { report, type Figures } from './report.ts';
import { measureAgentStart } from './start-latency.ts';
import { median } from './stats.ts';

const rounds = 3;
const lifecycleCount = 5_000;
const peerCount = 5_000;

const serverUrl = process.env['BATON_TEST_DATABASE_URL'];
if (serverUrl === undefined) {
  process.stderr.write('No PostgreSQL: start the benchmarks with `npm run bench`.\n');
  process.exit(69);
}

installPeers();
const pglite: number[] = [];
const postgres: number[] = [];
const graphile: PeerFigures[] = [];
const boss: PeerFigures[] = [];

// Interleaved, so that what else the machine does hits all alike.
for (let round = 1; round <= rounds; round++) {
  pglite.push(await onPglite((db) => measureLifecycles(db, lifecycleCount)));
  postgres.push(await onPostgres((db) => measureLifecycles(db, lifecycleCount)));
  graphile.push(await measureGraphile(serverUrl, peerCount));
  boss.push(await measurePgBoss(serverUrl, peerCount));
  process.stdout.write(
    `round ${round}: lifecycles/s pglite ${Math.round(pglite.at(-1) ?? 0)}, postgres ${Math.round(postgres.at(-1) ?? 0)}; ` +
      `jobs/s graphile-worker ${Math.round(graphile.at(-1)?.jobsPerSecond ?? 0)}, pg-boss ${Math.round(boss.at(-1)?.jobsPerSecond ?? 0)}\n`,
  );
}

const figures: Figures = {
  lifecycles: { pglite, postgres },
  dispatch: {
    pglite: await onPglite((db) => measureDispatch(db, 300)),
    postgres: await onPostgres((db) => measureDispatch(db, 300)),
  },
  agentStart: await measureAgentStart(40),
  peers: [middle(graphile), middle(boss)],
  rounds,
  lifecycleCount,
};
const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
writeFileSync(page, report(figures));
process.stdout.write(`wrote ${page}\n`);

function middle(runs: readonly PeerFigures[]): PeerFigures {
  const rate = median(runs.map((it) => it.jobsPerSecond));
  const found = runs.find((it) => it.jobsPerSecond === rate) ?? runs[0];
  if (found === undefined) throw new Error('no run of a peer');
  return found;
}

async function onPglite<T>(
  measure: (db: Parameters<typeof measureLifecycles>[0]) => Promise<T>,
): Promise<T> {
  const { db, close } = await freshPglite();
  try {
    return await measure(db);
  } finally {
    await close();
  }
}

async function onPostgres<T>(
  measure: (db: Parameters<typeof measureLifecycles>[0]) => Promise<T>,
): Promise<T> {
  const { db, close } = await freshPostgres(serverUrl ?? '');
  try {
    return await measure(db);
  } finally {
    await close();
  }
}
