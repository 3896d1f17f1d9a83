import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPglite, onPostgres } from './database.ts';
import { measureFloor } from './floor.ts';
import { measureLifecycles, type LifecycleFigures } from './lifecycle.ts';
import { measureDbos } from './peers/dbos.ts';
import { measureGraphile } from './peers/graphile.ts';
import { installPeers, type PeerFigures } from './peers/peer.ts';
import { measurePgBoss } from './peers/pg-boss.ts';
import { measureRestate } from './peers/restate.ts';
import type { Results } from './results.ts';
import { isQuick, lifecycleCount, rounds, scale, serverUrl, warmUps } from './settings.ts';

/** What is measured side by side, with the number of its jobs. */
const SIDES: Readonly<Record<string, readonly [number, (count: number) => Promise<unknown>]>> = {
  batonOnPostgres: [lifecycleCount, (count) => onPostgres((db) => measureLifecycles(db, count))],
  batonOnPglite: [lifecycleCount / 2, (count) => onPglite((db) => measureLifecycles(db, count))],
  floor: [lifecycleCount, (count) => measureFloor(serverUrl, count)],
  graphileDefault: [5_000 * scale, (count) => measureGraphile(serverUrl, 'default', count)],
  graphileTuned: [20_000 * scale, (count) => measureGraphile(serverUrl, 'tuned', count)],
  pgBoss: [10_000 * scale, (count) => measurePgBoss(serverUrl, count)],
  dbos: [1_000 * scale, (count) => measureDbos(serverUrl, count)],
  restate: [3_000 * scale, (count) => measureRestate(count)],
};
const PEERS = ['graphileDefault', 'graphileTuned', 'pgBoss', 'dbos', 'restate'];

/** Measures one side as it is after a while, with its code compiled. The figures go to a file. */
export async function measureSide(name: string, file: string): Promise<void> {
  const side = SIDES[name];
  if (side === undefined) throw new Error(`there is no ${name} to measure`);
  const [count, measure] = side;
  for (let run = 0; run < warmUps; run++) await measure(count);
  writeFileSync(file, JSON.stringify(await measure(count)));
}

/** A side's figures, measured in a process that nothing else has used. */
async function inProcess<T>(name: string): Promise<T> {
  const file = join(tmpdir(), `baton-bench-${process.pid}-${name}.json`);
  const quick = isQuick ? ['--quick'] : [];
  const [script = ''] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, '--side', name, file, ...quick],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`measuring ${name} ended with ${code}`);
  const figures = JSON.parse(readFileSync(file, 'utf8')) as T;
  rmSync(file);
  return figures;
}

/** One round after another, each in a process of its own, so that what else the machine does hits all alike. */
export async function sideBySide(): Promise<NonNullable<Results['lifecycles']>> {
  installPeers();
  const postgres: LifecycleFigures[] = [];
  const pglite: LifecycleFigures[] = [];
  const floor: number[] = [];
  const peers: PeerFigures[][] = [];
  for (let round = 0; round < rounds; round++) {
    postgres.push(await inProcess<LifecycleFigures>('batonOnPostgres'));
    pglite.push(await inProcess<LifecycleFigures>('batonOnPglite'));
    floor.push(await inProcess<number>('floor'));
    for (const [index, name] of PEERS.entries()) {
      (peers[index] ??= []).push(await inProcess<PeerFigures>(name));
    }
    process.stdout.write(
      `round ${round + 1} of ${rounds}: Baton ${Math.round(postgres.at(-1)?.perSecond ?? 0)}/s on PostgreSQL, ` +
        `${Math.round(pglite.at(-1)?.perSecond ?? 0)}/s on PGlite, floor ${Math.round(floor.at(-1) ?? 0)}/s\n`,
    );
  }
  return { rounds, count: lifecycleCount, postgres, pglite, floor, peers };
}
