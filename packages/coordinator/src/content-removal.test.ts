// Removing content that nobody refers to any more, while others refer to it again, or copy all of it.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  directoryBlobs,
  dumpDatabase,
  openDirectoryBlobStore,
  removeLoose,
  type BlobStore,
  type Db,
} from '@baton/store';
import { freshDatabases, insertRows, SAMPLE_AT_MS, type OpenDatabase } from '@baton/testkit';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPurgeSweep } from './services/purge-sweep.ts';

const log = pino({ level: 'silent' });
const PROJECT = 'prj_1';
const BYTES = Buffer.from('what an agent made');
const shaOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const SHA = shaOf(BYTES);

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`content on ${database.title}`, { timeout: 60_000 }, () => {
    let opened: OpenDatabase;
    let db: Db;
    let directory: string;
    let store: BlobStore;
    beforeAll(async () => {
      opened = await database.open();
      db = opened.db;
    });
    afterAll(() => opened?.close());
    beforeEach(async () => {
      await db.exclusive((admin) =>
        admin.script('truncate runs, tasks, attempts, artifacts, purged_ids'),
      );
      directory = await mkdtemp(join(tmpdir(), 'baton-content-'));
      store = await openDirectoryBlobStore(join(directory, PROJECT));
    });
    afterEach(() => rm(directory, { recursive: true, force: true }));

    /** A run whose task has one file with these bytes. */
    async function addRun(name: string, bytes: Uint8Array = BYTES): Promise<void> {
      const run = `run_${name}`;
      const task = `task_${name}`;
      await insertRows(db, {
        runs: [{ id: run, status: 'completed', endedAtMs: SAMPLE_AT_MS }],
        tasks: [{ id: task, runId: run, status: 'completed', endedAtMs: SAMPLE_AT_MS }],
        artifacts: [
          { id: `art_${name}`, taskId: task, runId: run, attemptId: 'att_1', sha256: shaOf(bytes) },
        ],
      });
    }

    /** What a worker does: it names the file, and stores it if it is not there. */
    async function announce(name: string): Promise<void> {
      await addRun(name);
      if (!(await store.has(SHA))) await store.put(BYTES);
    }

    const purge = (name: string): Promise<void> =>
      db.exclusive((admin) =>
        admin.script(`update runs set purge_at = clock_timestamp() where id = 'run_${name}'`),
      );

    const sweepOn = (on: Db) =>
      createPurgeSweep({
        db: on,
        log,
        removeContent: ({ sha256 }, isLoose) => removeLoose(store, sha256, isLoose),
        async settleAside(isLoose) {
          for (const sha256 of await store.listAside()) {
            await removeLoose(store, sha256, () => isLoose({ project: PROJECT, sha256 }));
          }
        },
      });

    /** The same database, with something done at the moment of one statement. */
    function during(name: string, when: 'before' | 'after', act: () => Promise<void>): Db {
      let isDone = false;
      const query: Db['query'] = async (asked, ...args) => {
        const isNow = asked.name === name && !isDone;
        if (isNow) isDone = true;
        if (isNow && when === 'before') await act();
        const rows = await db.query(asked, ...args);
        if (isNow && when === 'after') await act();
        return rows;
      };
      return new Proxy(db, {
        get: (target, key) =>
          key === 'query' ? query : (Reflect.get(target, key, target) as unknown),
      });
    }

    test('goes with the last file that refers to it', async () => {
      await store.put(BYTES);
      await addRun('gone');
      await purge('gone');
      while ((await sweepOn(db).runOnce()) > 0);
      expect(await store.find(SHA)).toBeUndefined();
      expect(await store.listAside()).toEqual([]);
    });

    test.each([
      ['it was found to be loose', 'contentOnlyOf', 'after'],
      ['it was set aside', 'contentIsLoose', 'before'],
      ['it was found to be loose again', 'contentIsLoose', 'after'],
    ] as const)('that is handed in anew when %s is kept', async (_, statement, when) => {
      await store.put(BYTES);
      await addRun('gone');
      await purge('gone');
      const sweep = sweepOn(during(statement, when, () => announce('again')));
      while ((await sweep.runOnce()) > 0);
      expect(await buffer(await store.get(SHA, { verify: true }))).toEqual(BYTES);
      expect(await store.has(SHA)).toBe(true);
      expect(await store.listAside()).toEqual([]);
    });

    test('that an interrupted removal left aside is readable, and put back if somebody needs it', async () => {
      const other = Buffer.from('nobody needs it');
      await store.put(BYTES);
      await store.put(other);
      await addRun('kept');
      await store.setAside(SHA);
      await store.setAside(shaOf(other));
      expect(await store.has(SHA)).toBe(false);
      expect(await buffer(await store.get(SHA))).toEqual(BYTES);
      await sweepOn(db).runOnce();
      expect(await store.has(SHA)).toBe(true);
      expect(await store.find(shaOf(other))).toBeUndefined();
    });

    test('is all in a backup that is made while runs are purged, also by another process', async () => {
      const names = ['one', 'two', 'three'];
      for (const name of names) {
        await store.put(Buffer.from(name));
        await addRun(name, Buffer.from(name));
      }
      const copied: string[] = [];
      const gone: number[] = [];
      // Another object is another process, as far as a server can tell; the embedded database has one.
      const elsewhere = db.kind === 'postgres' ? new Proxy(db, {}) : db;
      const sweep = sweepOn(elsewhere);
      await dumpDatabase(db, directoryBlobs(directory), async (record) => {
        if (record.kind !== 'blob') return;
        copied.push(record.sha256);
        if (copied.length > 1) return;
        for (const name of names) await purge(name);
        gone.push(await sweep.runOnce());
      });
      expect(copied.toSorted()).toEqual(names.map((it) => shaOf(Buffer.from(it))).toSorted());
      while ((await sweep.runOnce()) > 0);
      for (const name of names) expect(await store.has(shaOf(Buffer.from(name)))).toBe(false);
    });
  });
}
