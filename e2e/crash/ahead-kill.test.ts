// kill -9 of a control plane while batches that it decided ahead are under way, at each point of such a
// batch: the database has nothing of it; it has committed, and the answer was not read; that was read,
// and nobody was told. What holds is read off what the clients were told.
import { createClient } from '@baton/sdk';
import { freshDatabases, type FreshDatabase } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startAnswerHolder } from '../support/answer-holder.ts';
import { startCommitCutter } from '../support/commit-cutter.ts';
import { expectAllDoneOnce, startLoad } from '../support/load.ts';
import { postgresBin, startOwnPostgres } from '../support/own-postgres.ts';
import { startTower, until, type Tower } from '../support/tower.ts';

const kills = 6;

/** No run was made twice: what is there is what was acknowledged. */
async function expectNoneTwice(tower: Tower, acknowledged: readonly string[]): Promise<void> {
  const all: string[] = [];
  for (let cursor: string | undefined; ;) {
    const query = { limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const page = await tower.client.call('listRuns', { query });
    all.push(...page.items.map((it) => it.id));
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  expect(all.toSorted()).toEqual(acknowledged.toSorted());
}

test.skipIf(postgresBin === undefined)(
  'kill -9 before the database has what was decided ahead, and before its answer is read',
  async () => {
    const postgres = await startOwnPostgres();
    const cutter = await startCommitCutter(postgres.socket, 'ahead');
    const tower = await startTower({ databaseUrl: cutter.url });
    const load = await startLoad(tower, 20);
    for (let kill = 0; kill < kills; kill++) {
      await new Promise<void>((resolve) => {
        cutter.cutEvery(5, () => {
          tower.process.child.kill('SIGKILL');
          resolve();
        });
      });
      cutter.cutEvery(0);
      await tower.restart();
    }
    expect(Math.min(cutter.cuts.before, cutter.cuts.after)).toBeGreaterThanOrEqual(kills / 3);
    await load.stopSubmitting();
    await expectAllDoneOnce(tower, load.acknowledged);
    await expectNoneTwice(tower, load.acknowledged);
    await load.stop();
  },
);

describe.each(freshDatabases())('$title', (database) => {
  test.skipIf(database.isSkipped)(
    'kill -9 when it is committed and nobody was told: who asks again is told the same',
    () => killUntold(database),
  );
});

async function killUntold(database: FreshDatabase): Promise<void> {
  const isServer = database.name === 'postgres';
  const opened = isServer ? await database.open({ isMigrated: false, isDurable: true }) : undefined;
  onTestFinished(() => opened?.close());
  const tower = await startTower({ databaseUrl: opened?.location });
  const holder = await startAnswerHolder(tower.url);
  await tower.restart(['--public-url', holder.url]);
  const client = createClient({ baseUrl: holder.url, token: tower.apiKey, retriesMax: 8 });
  const behind = Object.create(tower, {
    url: { value: holder.url },
    client: { value: client },
  }) as Tower;
  const load = await startLoad(behind, 20);
  // The embedded database takes long to start.
  for (let kill = 0; kill < (isServer ? 4 : 2); kill++) {
    const before = load.acknowledged.length;
    await until('work is taken again', () => {
      load.assertGoing();
      return load.acknowledged.length > before + 3;
    });
    await new Promise<void>((resolve) => {
      holder.holdNext(() => {
        tower.process.child.kill('SIGKILL');
        resolve();
      });
    });
    await tower.restart();
  }
  await load.stopSubmitting();
  await expectAllDoneOnce(tower, load.acknowledged);
  await expectNoneTwice(tower, load.acknowledged);
  await load.stop();
}
