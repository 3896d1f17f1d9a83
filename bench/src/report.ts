import { cpus, totalmem } from 'node:os';
import type { GrowthFigures } from './growth.ts';
import { BULK, type PeerFigures } from './peers/peer.ts';
import type { Results } from './results.ts';
import { warmUps } from './settings.ts';
import { median, type Summary } from './stats.ts';

const TARGETS = {
  postgres: 15_000,
  pglite: 3_000,
  floorShare: 3,
  dispatchP50Ms: 2,
  dispatchP99Ms: 10,
  fanOutMs: 500,
  restartMs: 2_000,
  agentStartMs: 80,
  growth: 2,
};

/** The page `docs/benchmarks.md`; what was not measured is left out. */
export function report(results: Results): string {
  const { lifecycles, dispatch, shapes, growth, start } = results;
  const parts = [
    head(),
    lifecycles && lifecycleSection(lifecycles),
    dispatch && latencySection(dispatch, start, lifecycles?.peers),
    shapes && shapeSection(shapes),
    growth && growthSection(growth),
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

function head(): string {
  return `# Benchmarks

Made by \`npm run bench\` (\`-- --only lifecycles\`, \`dispatch\`, \`shapes\`, \`growth\` or \`start\` measures one part again). Absolute figures belong to the machine below; the ratios between systems were taken in the same run, interleaved round by round, on the same PostgreSQL server with its default settings (fsync and synchronous_commit on).

Machine: ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}. Client, control plane and database share it.`;
}

function lifecycleSection(it: NonNullable<Results['lifecycles']>): string {
  const postgres = median(it.postgres.map((one) => one.perSecond));
  const pglite = median(it.pglite.map((one) => one.perSecond));
  const floor = median(it.floor);
  const share = floor / postgres;
  const cpu = median(it.postgres.map((one) => one.cpuMicros));
  const peers = it.peers.map(middle);
  return `## Full lifecycles

One lifecycle = create, claim, start, finish of a task: fenced by epoch, with eight events, cascade, run counters, every write acknowledged after a synced commit, finished rows kept. A peer's job = enqueue, run, complete: no fence, no events, no history (graphile-worker deletes the job; DBOS and Restate keep one durable step). The floor = the rows of a lifecycle, written by plain batched SQL into the same tables: nothing decided, read or checked. Runs, and the peers' bulks, are of ${BULK.size}, ${BULK.callers} submissions at a time. Each is measured in a process of its own, after ${warmUps} runs that do not count: control planes run for long, and compilers need a while. Median of ${it.rounds} rounds, [lowest to highest].

| what | jobs a second | to Baton | enqueued a second |
|---|---|---|---|
| Baton on PostgreSQL, ${count(it.count)} tasks | ${count(postgres)} ${range(it.postgres.map((one) => one.perSecond))} | 1.00 | ${count(median(it.postgres.map((one) => one.enqueuePerSecond)))} |
| Baton on PGlite (real fsync), ${count(it.count / 2)} tasks | ${count(pglite)} ${range(it.pglite.map((one) => one.perSecond))} | ${ratio(pglite, postgres)} | ${count(median(it.pglite.map((one) => one.enqueuePerSecond)))} |
| floor: the same rows by bare SQL | ${count(floor)} ${range(it.floor)} | ${ratio(floor, postgres)} | |
${peers.map((peer) => `| ${peer.name}: ${peer.mode} | ${count(peer.jobsPerSecond)} | ${ratio(peer.jobsPerSecond, postgres)} | ${count(peer.enqueuePerSecond)} |`).join('\n')}

| target | reached? |
|---|---|
| within ${TARGETS.floorShare}x of the floor | ${verdict(share <= TARGETS.floorShare)} (${share.toFixed(1)}x) |
| ${count(TARGETS.postgres)} lifecycles/s on PostgreSQL | ${verdict(postgres >= TARGETS.postgres)} (${count(postgres)}) |
| ${count(TARGETS.pglite)} lifecycles/s on PGlite, durable | ${verdict(pglite >= TARGETS.pglite)} (${count(pglite)}) |
${peers.map((peer) => `| ahead of ${peer.name} (${peer.mode}) | ${verdict(postgres > peer.jobsPerSecond)} |`).join('\n')}

Where the time goes, on PostgreSQL: this process takes ${Math.round(cpu)} µs of CPU a lifecycle, the simulated workers included (deciding, encoding rows, reading answers); the rest is the database, ${Math.round(1e6 / floor)} µs a lifecycle for the rows alone. A lifecycle writes 18 rows in four commands: eight events, four inserts, one delete and five updates. A batch is decided from what this process remembers while the database writes the one before, and sent as one message with its checks and COMMIT; the two share the cores, so neither can be faster than its own part.`;
}

function middle(runs: readonly PeerFigures[]): PeerFigures {
  const rate = median(runs.map((it) => it.jobsPerSecond));
  const found = runs.find((it) => it.jobsPerSecond === rate) ?? runs[0];
  if (found === undefined) throw new Error('no run of a peer');
  return found;
}

function latencySection(
  dispatch: NonNullable<Results['dispatch']>,
  start: Summary | undefined,
  peers: readonly (readonly PeerFigures[])[] = [],
): string {
  const baton = (it: Summary): string =>
    `p50 ≤ ${TARGETS.dispatchP50Ms}: ${verdict(it.p50 <= TARGETS.dispatchP50Ms)}, p99 ≤ ${TARGETS.dispatchP99Ms}: ${verdict(it.p99 <= TARGETS.dispatchP99Ms)}`;
  const others = peers.map(middle).flatMap((peer) => {
    if (peer.dispatch === null) return [];
    return [`| handler called, ${peer.name} (${peer.mode}) | ${row(peer.dispatch)} | |`];
  });
  const { afterPause } = dispatch;
  const paused =
    afterPause === undefined
      ? []
      : [`| the same after 20 ms in which nothing happens, PostgreSQL | ${row(afterPause)} | |`];
  const agent =
    start === undefined
      ? []
      : [
          `| the agent's process runs (real binaries, HTTP, PGlite) | ${row(start)} | p50 ≤ ${TARGETS.agentStartMs}: ${verdict(start.p50 <= TARGETS.agentStartMs)} |`,
        ];
  return `## Latency, one task at a time

Milliseconds from the call that submits one task; the next one follows when it has ended. The first 1,000 do not count.

| until | p50 | p95 | p99 | max | n | target |
|---|---|---|---|---|---|---|
| handed to a waiting worker, PostgreSQL | ${row(dispatch.postgres)} | ${baton(dispatch.postgres)} |
| handed to a waiting worker, PGlite | ${row(dispatch.pglite)} | ${baton(dispatch.pglite)} |
${[...paused, ...agent, ...others].join('\n')}`;
}

function shapeSection(it: NonNullable<Results['shapes']>): string {
  const { postgres, pglite } = it.fanOutMs;
  return `## Shapes

| what | figure | target |
|---|---|---|
| fan-out 1 → ${count(it.leaves)}, from the report until all are ready, PostgreSQL | ${count(postgres)} ms | under ${TARGETS.fanOutMs} ms: ${verdict(postgres < TARGETS.fanOutMs)} |
| the same on PGlite | ${count(pglite)} ms | |
| fan-in ${count(it.leaves)} → 1, PostgreSQL | ${count(it.fanInPerSecond)} tasks/s | |
| ten chains of 1,000 steps side by side, PostgreSQL | ${count(it.chainStepsPerSecond)} steps/s | |`;
}

function growthSection(growth: readonly GrowthFigures[]): string {
  const first = growth[0];
  const last = growth.at(-1);
  const restarted = growth.find((it) => it.restartMs !== null);
  const factor = first === undefined || last === undefined ? 0 : last.claim.p50 / first.claim.p50;
  const listFactor = first === undefined || last === undefined ? 0 : last.list.p50 / first.list.p50;
  return `## Growth

One claim after another, and pages of 50 down the list of ready tasks, on PostgreSQL; milliseconds.

| open tasks | claim p50 | claim p99 | list p50 | list p99 | process |
|---|---|---|---|---|---|
${growth.map((it) => `| ${count(it.openTasks)} | ${it.claim.p50.toFixed(1)} | ${it.claim.p99.toFixed(1)} | ${it.list.p50.toFixed(1)} | ${it.list.p99.toFixed(1)} | ${count(it.residentMb)} MB |`).join('\n')}

| target | reached? |
|---|---|
| claims stay flat: at most ${TARGETS.growth}x from the smallest to the largest | ${verdict(factor <= TARGETS.growth)} (${factor.toFixed(1)}x) |
| lists stay flat: at most ${TARGETS.growth}x | ${verdict(listFactor <= TARGETS.growth)} (${listFactor.toFixed(1)}x) |
${restarted === undefined ? '' : `| first task handed out under ${TARGETS.restartMs} ms after a start with ${count(restarted.openTasks)} open tasks | ${verdict((restarted.restartMs ?? 0) < TARGETS.restartMs)} (${count(restarted.restartMs ?? 0)} ms) |`}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function range(values: readonly number[]): string {
  return `[${count(Math.min(...values))} to ${count(Math.max(...values))}]`;
}

function ratio(value: number, base: number): string {
  return (value / base).toFixed(2);
}

function row(it: Summary): string {
  return (
    [it.p50, it.p95, it.p99, it.max].map((value) => value.toFixed(1)).join(' | ') + ` | ${it.count}`
  );
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : '**missed**';
}
