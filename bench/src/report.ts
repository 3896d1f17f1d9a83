import { cpus, totalmem } from 'node:os';
import { PEERS, type PeerFigures } from './peers.ts';
import { median, type Summary } from './stats.ts';

export interface Figures {
  readonly lifecycles: { readonly pglite: readonly number[]; readonly postgres: readonly number[] };
  readonly dispatch: { readonly pglite: Summary; readonly postgres: Summary };
  readonly agentStart: Summary;
  readonly peers: readonly PeerFigures[];
  readonly rounds: number;
  readonly lifecycleCount: number;
}

const targets = { postgres: 1_500, pglite: 800, dispatchMs: 5, agentStartMs: 80 };

/** The page `docs/benchmarks.md`. */
export function report(figures: Figures): string {
  const { lifecycles, dispatch, agentStart, peers } = figures;
  const onPostgres = median(lifecycles.postgres);
  const onPglite = median(lifecycles.pglite);
  return `# Benchmarks

Made by \`npm run bench\`. Absolute figures belong to the machine below; ratios to peers were taken in the same run on the same PostgreSQL server, interleaved, the median of ${figures.rounds} rounds.

Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}. Client, control plane and database share it.

## Full lifecycles

One lifecycle = create, claim, start, finish of a task: fenced by epoch, with about eight events, cascade, run counters, every write acknowledged after a synced commit, finished rows kept. A peer's job = enqueue, run, complete: no fence, no events, no history (graphile-worker deletes the job).

| what | per second | ratio to graphile-worker | target |
|---|---|---|---|
| Baton on PostgreSQL, ${figures.lifecycleCount} tasks | ${count(onPostgres)} ${range(lifecycles.postgres)} | ${ratio(onPostgres, peers)} | ${verdict(onPostgres >= targets.postgres, `${targets.postgres}`)} |
| Baton on PGlite (real fsync), ${figures.lifecycleCount} tasks | ${count(onPglite)} ${range(lifecycles.pglite)} | ${ratio(onPglite, peers)} | ${verdict(onPglite >= targets.pglite, `${targets.pglite}`)} |
${peers.map((peer) => `| ${peer.name} | ${count(peer.jobsPerSecond)} | ${ratio(peer.jobsPerSecond, peers)} | |`).join('\n')}

graphile-worker runs in its default mode with concurrency 10; pg-boss with ten workers that fetch 50 jobs a time. Their newest versions need Node 22; these are the newest for Node 20 (${Object.entries(
    PEERS,
  )
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}).

## Latency of an idle system

Milliseconds from the call that submits one task.

| until | p50 | p95 | p99 | max | n | target p50 |
|---|---|---|---|---|---|---|
| handed to a waiting worker, PGlite | ${row(dispatch.pglite)} | ${verdict(dispatch.pglite.p50 < targets.dispatchMs, `under ${targets.dispatchMs}`)} |
| handed to a waiting worker, PostgreSQL | ${row(dispatch.postgres)} | ${verdict(dispatch.postgres.p50 < targets.dispatchMs, `under ${targets.dispatchMs}`)} |
| the agent's process runs (real binaries, HTTP, PGlite) | ${row(agentStart)} | ${verdict(agentStart.p50 < targets.agentStartMs, `under ${targets.agentStartMs}`)} |
${peers.map((peer) => `| handler called, ${peer.name} | ${row(peer.dispatch)} | |`).join('\n')}
`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function range(values: readonly number[]): string {
  return `[${count(Math.min(...values))} to ${count(Math.max(...values))}]`;
}

function ratio(value: number, peers: readonly PeerFigures[]): string {
  const base = peers[0]?.jobsPerSecond;
  return base === undefined ? '' : (value / base).toFixed(2);
}

function row(it: Summary): string {
  return (
    [it.p50, it.p95, it.p99, it.max].map((value) => value.toFixed(1)).join(' | ') + ` | ${it.count}`
  );
}

function verdict(isReached: boolean, target: string): string {
  return `${target}: ${isReached ? 'reached' : 'missed'}`;
}
