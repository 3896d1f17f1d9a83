// The disk of the embedded database is full while an agent speaks: what is not stored is not acknowledged,
// what was acknowledged stays, and the next piece is taken as soon as there is room.
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auditDatabase,
  createReads,
  isStorageFull,
  loadRows,
  openPglite,
  type Db,
} from '@baton/store';
import { freshDatabases, fullDisk, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCoordinator, type Coordinator } from './coordinator.ts';
import { makeBusyState } from './testing/busy-state.ts';
import { patient } from './testing/patient.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const PIECE_BYTES = 60_000;
/** More than what the database's files have room for by themselves. */
const PIECES_MAX = 1_000;

let fresh: OpenDatabase;
let home: string;
beforeAll(async () => {
  const [pglite] = freshDatabases();
  if (pglite === undefined) throw new Error('no database');
  fresh = await pglite.open();
  await fresh.db.close();
  home = mkdtempSync(join(tmpdir(), 'baton-full-'));
});
afterAll(async () => {
  await fresh?.close();
  rmSync(home, { recursive: true, force: true });
});

/** All of an attempt's output, piece by piece. */
async function storedOf(db: Db, attempt: string) {
  const reads = createReads(db);
  const all: Awaited<ReturnType<typeof reads.logsOfAttempt>> = [];
  for (;;) {
    const page = await reads.logsOfAttempt(attempt, 'stdout', all.at(-1)?.seq ?? 0, 100);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** The n-th piece of output: no two are alike, and none shrinks when it is stored. */
function piece(n: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(PIECE_BYTES / 64) }, (_, at) =>
    createHash('sha512').update(`${n}.${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, PIECE_BYTES);
}

test(
  'output that finds no room is refused, and goes on where it was',
  { timeout: 600_000 },
  async () => {
    const dataDir = join(home, 'live');
    const full = join(home, 'full');
    cpSync(join(fresh.location, 'postgres'), join(dataDir, 'postgres'), { recursive: true });
    const db: Db = await openPglite({ dataDir, fileLayer: fullDisk(full) });
    const busy = await makeBusyState(db);
    const attempt = busy.attempts.get('build') ?? '';
    const row = (await db.readSnapshot((reads) => loadRows(reads, 'attempts', [attempt]))).get(
      attempt,
    );
    if (row === undefined) throw new Error('nothing runs');
    const about = { worker: row.workerId, epoch: row.epoch };
    const it: Coordinator = createCoordinator({ db, log: quiet, engines: ['shell'], ...patient });
    await it.start();
    try {
      const before = (await storedOf(db, attempt)).at(-1);
      const start = before === undefined ? 0 : before.offset + before.data.byteLength;
      let offset = start;
      let said = 0;
      const say = async (): Promise<void> => {
        const data = piece(said);
        const { nextOffset } = await it.logs.append({
          attempt,
          ...about,
          stream: 'stdout',
          offset,
          data,
        });
        expect(nextOffset).toBe(offset + data.byteLength);
        offset = nextOffset;
        said += 1;
      };
      await say();
      writeFileSync(full, '');
      let refused: unknown;
      while (refused === undefined && said < PIECES_MAX) {
        await say().catch((error: unknown) => {
          refused = error;
        });
      }
      expect(isStorageFull(refused)).toBe(true);
      await expect(say()).rejects.toSatisfy(isStorageFull);
      rmSync(full);
      const untilMs = performance.now() + 60_000;
      for (let isTaken = false; !isTaken;) {
        isTaken = await say().then(
          () => true,
          (error: unknown) => {
            // It may have stopped over it, and begins again.
            if (performance.now() > untilMs) throw error;
            return false;
          },
        );
      }
      await say();
      const stored = (await storedOf(db, attempt)).filter((it) => it.offset >= start);
      const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      const pieces = Array.from({ length: said }, (_, n) => piece(n));
      const bytes = Buffer.concat(stored.map(({ data }) => data));
      expect([bytes.length, sha256(bytes)]).toEqual([
        offset - start,
        sha256(Buffer.concat(pieces)),
      ]);
      expect((await auditDatabase(db)).filter(({ count }) => count > 0)).toEqual([]);
    } finally {
      await it.stop();
      await db.close();
    }
  },
);
