// The embedded database after the power went: only what was forced to disk is sure to be there, of the
// rest anything. Everything acknowledged must be in it, and every rule must hold.
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plan as planSchema, runCreate, type Actor } from '@baton/contract';
import { auditDatabase, loadRows, openPglite } from '@baton/store';
import {
  crashDisk,
  fileRecorder,
  freshDatabases,
  readJournal,
  type OpenDatabase,
} from '@baton/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCoordinator } from './coordinator.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
/** Crashes that are tried; more with BATON_POWER_CUTS. */
const cutsMax = Number(process.env['BATON_POWER_CUTS'] ?? 4);

interface Acknowledged {
  readonly run: string;
  /** Bytes of the journal when it was acknowledged. */
  readonly at: number;
}

/** A migrated database, closed: what was on disk before the record begins. */
let fresh: OpenDatabase;
let base: string;
beforeAll(async () => {
  const [pglite] = freshDatabases();
  if (pglite === undefined) throw new Error('no database');
  fresh = await pglite.open();
  await fresh.db.close();
  base = join(fresh.location, 'postgres');
});
afterAll(() => fresh?.close());

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'baton-power-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Works on a database whose every file operation is recorded; what was acknowledged when. */
async function work(dropSync: boolean) {
  const dataDir = join(home, 'live');
  const journal = join(home, 'journal');
  cpSync(base, join(dataDir, 'postgres'), { recursive: true });
  const db = await openPglite({ dataDir, fileLayer: fileRecorder(journal, dropSync) });
  const it = createCoordinator({ db, log: quiet, engines: ['shell'] });
  const acks: Acknowledged[] = [];
  const tasks = Array.from({ length: 5 }, (_, index) => ({
    key: `t${index}`,
    kind: 'command' as const,
    spec: 'x'.repeat(2_000),
  }));
  try {
    await it.start();
    for (let n = 0; n < 30; n++) {
      const { run = '' } = await it.submit({
        type: 'run.create',
        project: `prj_${randomUUID().slice(0, 8)}`,
        actor,
        body: runCreate.parse({
          goal: 'power',
          deliver: 'none',
          plan: planSchema.parse({ tasks, dependencies: [{ upstream: 't0', downstream: 't1' }] }),
        }),
      });
      acks.push({ run, at: statSync(journal).size });
      if (n % 10 === 9) await db.exclusive((admin) => admin.script('checkpoint'));
    }
  } finally {
    await it.stop();
    await db.crash();
    await db.close().catch(() => undefined);
  }
  return { acks, end: statSync(journal).size, operations: readJournal(journal) };
}

/** What is wrong after a crash at `cut`; empty when all is well. */
async function faultsAfter(
  operations: ReturnType<typeof readJournal>,
  cut: number,
  acks: readonly Acknowledged[],
  seed: number,
): Promise<string[]> {
  const dataDir = join(home, `cut-${seed}`);
  mkdirSync(dataDir);
  crashDisk({
    base,
    recorded: join(home, 'live', 'postgres'),
    operations,
    cut,
    target: join(dataDir, 'postgres'),
    random: randomOf(seed),
  });
  try {
    const db = await openPglite({ dataDir, unsafeDurability: true });
    try {
      const there = await db.readSnapshot((queries) =>
        loadRows(
          queries,
          'runs',
          acks.map(({ run }) => run),
        ),
      );
      const lost = acks.filter(({ run, at }) => at <= cut && !there.has(run));
      const broken = (await auditDatabase(db)).filter(({ count }) => count > 0);
      return [
        ...lost.map(({ run }) => `${run} was acknowledged and is lost`),
        ...broken.map(({ id }) => `${id} is broken`),
      ];
    } finally {
      await db.close();
    }
  } catch (error) {
    return [`it does not open: ${String(error)}`];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

test(
  'a power cut at any moment loses nothing that was acknowledged',
  { timeout: 60_000 * Math.max(4, cutsMax) },
  async () => {
    const { acks, end, operations } = await work(false);
    const random = randomOf(4664);
    for (let seed = 1; seed <= cutsMax; seed++) {
      const cut = seed === 1 ? end : Math.floor(random() * end);
      expect({ seed, cut, faults: await faultsAfter(operations, cut, acks, seed) }).toEqual({
        seed,
        cut,
        faults: [],
      });
    }
  },
);

test('a database whose forced writes do nothing is found out', { timeout: 600_000 }, async () => {
  const { acks, end, operations } = await work(true);
  const faults = [];
  for (let seed = 1; seed <= 3 && faults.length === 0; seed++) {
    faults.push(...(await faultsAfter(operations, end, acks, seed)));
  }
  expect(faults).not.toEqual([]);
});
