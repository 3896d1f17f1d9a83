import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCommitCutter } from '../support/commit-cutter.ts';
import { expectAllDoneOnce, startLoad } from '../support/load.ts';
import { postgresBin, startOwnPostgres } from '../support/own-postgres.ts';
import { startTower, until } from '../support/tower.ts';

const crashes = 8;
const cutsWanted = 12;
const killsAtCommit = 8;

test.skipIf(postgresBin === undefined)(
  'PostgreSQL crashes again and again: the server lives, nothing acknowledged is lost or doubled',
  async () => {
    const postgres = await startOwnPostgres();
    const tower = await startTower({ databaseUrl: postgres.url });
    const load = await startLoad(tower, 20);
    for (let crash = 0; crash < crashes; crash++) {
      const before = load.acknowledged.length;
      await until('work is taken again', () => {
        load.assertGoing();
        return load.acknowledged.length > before;
      });
      // An odd rhythm meets more moments; the absence is short, long, and none at all.
      await sleep((crash * 337) % 900);
      await postgres.crash();
      await sleep((crash % 3) * 700);
      await postgres.start();
    }
    await load.stopSubmitting();
    await expectAllDoneOnce(tower, load.acknowledged);
    await load.stop();
    expect(load.acknowledged.length).toBeGreaterThanOrEqual(crashes);
    expect(tower.process.child.exitCode).toBeNull();
  },
);

test.skipIf(postgresBin === undefined)(
  'a connection that is cut in the middle of COMMIT: what became of it is found out, not guessed',
  async () => {
    const postgres = await startOwnPostgres();
    const cutter = await startCommitCutter(postgres.socket);
    const tower = await startTower({ databaseUrl: cutter.url });
    const load = await startLoad(tower, 20);
    cutter.cutEvery(20);
    await until('enough COMMITs were cut at both places', () =>
      Object.values(cutter.cuts).every((count) => count >= cutsWanted / 2),
    );
    cutter.cutEvery(0);
    await load.stopSubmitting();
    await expectAllDoneOnce(tower, load.acknowledged);
    await load.stop();
  },
);

test.skipIf(postgresBin === undefined)(
  'kill -9 of the server at COMMIT, before the database has it and before its answer is read',
  async () => {
    const postgres = await startOwnPostgres();
    const cutter = await startCommitCutter(postgres.socket);
    const tower = await startTower({ databaseUrl: cutter.url });
    const load = await startLoad(tower, 20);
    for (let kill = 0; kill < killsAtCommit; kill++) {
      await new Promise<void>((resolve) => {
        cutter.cutEvery(25, () => {
          tower.process.child.kill('SIGKILL');
          resolve();
        });
      });
      cutter.cutEvery(0);
      await tower.restart();
    }
    expect(Math.min(cutter.cuts.before, cutter.cuts.after)).toBeGreaterThan(1);
    await load.stopSubmitting();
    await expectAllDoneOnce(tower, load.acknowledged);
    await load.stop();
  },
);
