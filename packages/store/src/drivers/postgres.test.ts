import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import type { Db, Tx } from '../db.ts';
import { bind, statement } from '../statement.ts';
import type { StoreError } from '../store-error.ts';
import { openPostgres } from './postgres.ts';

const insertRow = statement({
  name: 'insertRow',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into rows (id) values ($1)`,
});
const touchRow = statement({
  name: 'touchRow',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `update rows set touched = touched + 1 where id = $1`,
});
const countRows = statement({
  name: 'countRows',
  args: () => [],
  row: z.strictObject({ count: z.int() }),
  sql: `select count(*) as count from rows`,
});
const ownPid = statement({
  name: 'ownPid',
  args: () => [],
  row: z.strictObject({ pid: z.int() }),
  sql: `select pg_backend_pid() as pid`,
});
const terminate = statement({
  name: 'terminate',
  args: (pid: number) => [pid],
  row: z.looseObject({}),
  sql: `select pg_terminate_backend($1::int) as done`,
});

const waitForLocksBriefly = statement({
  name: 'waitForLocksBriefly',
  args: () => [],
  row: z.strictObject({}),
  sql: `set local lock_timeout = 50`,
});

const failureOf = (promise: Promise<unknown>): Promise<StoreError> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error as StoreError,
  );

const postgres = freshDatabases().find(({ name }) => name === 'postgres');
if (postgres === undefined) throw new Error('there is no PostgreSQL');

describe.skipIf(postgres.isSkipped)(`a server: ${postgres.title}`, () => {
  let opened: OpenDatabase;
  let db: Db;
  beforeAll(async () => {
    opened = await postgres.open({ isMigrated: false });
    db = opened.db;
    await db.exclusive((admin) =>
      admin.script('create table rows (id int primary key, touched int not null default 0)'),
    );
  });
  afterAll(() => opened?.close());
  beforeEach(() =>
    db.exclusive((admin) => admin.script('truncate rows; insert into rows values (1), (2)')),
  );

  describe('failures of transactions', () => {
    test('a deadlock fails one of the two as retryable', async () => {
      let firstHolds: () => void = () => {};
      let secondHolds: () => void = () => {};
      const first = new Promise<void>((resolve) => (firstHolds = resolve));
      const second = new Promise<void>((resolve) => (secondHolds = resolve));
      const cross = (mine: number, other: number, held: () => void, wait: Promise<void>) =>
        db.transaction(async (tx) => {
          await tx.query(touchRow, mine);
          held();
          await wait;
          await tx.commitWith([bind(touchRow, other)]);
        });
      const ends = await Promise.allSettled([
        cross(1, 2, firstHolds, second),
        cross(2, 1, secondHolds, first),
      ]);
      const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
      expect(failures).toEqual([expect.objectContaining({ kind: 'retryable', sqlState: '40P01' })]);
    });

    test('a lock that is held too long fails as retryable', async () => {
      const failure = await db.transaction(async (holder) => {
        await holder.query(touchRow, 1);
        const waiting = await failureOf(
          db.transaction(async (tx) => {
            await tx.query(waitForLocksBriefly);
            await tx.query(touchRow, 1);
          }),
        );
        return waiting;
      });
      expect(failure).toMatchObject({ kind: 'retryable', sqlState: '55P03' });
    });

    test('a connection lost before COMMIT was sent fails as retryable', async () => {
      const failure = await failureOf(
        db.transaction(async (tx) => {
          await tx.query(insertRow, 3);
          await killBackendOf(tx);
          await tx.commitWith([bind(insertRow, 4)]);
        }),
      );
      // The loss is noticed while COMMIT is sent, or before.
      expect(failure.kind).toBeOneOf(['retryable', 'unknown_outcome']);
      if (failure.kind === 'unknown_outcome') {
        expect(await db.outcomeOf(failure.xid ?? '')).toBe('aborted');
      }
      expect(await db.query(countRows)).toEqual([{ count: 2 }]);
    });

    test('the loss is noticed while nothing is under way', async () => {
      const failure = await failureOf(
        db.transaction(async (tx) => {
          await tx.query(insertRow, 3);
          await killBackendOf(tx);
          await expect.poll(() => failedOf(tx)).toBeInstanceOf(Error);
          await tx.commitWith([bind(insertRow, 4)]);
        }),
      );
      expect(failure.kind).toBe('retryable');
    });

    test('idle connections that the server ended are replaced', async () => {
      await Promise.all(Array.from({ length: 8 }, () => db.query(countRows)));
      await db.exclusive((admin) =>
        admin.script(`
          select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()`),
      );
      const count = (): Promise<unknown> =>
        db.query(countRows).catch((error: StoreError) => error.kind);
      const answers = await Promise.all(Array.from({ length: 8 }, count));
      for (const answer of answers) expect(answer).toBeOneOf(['retryable', [{ count: 2 }]]);
      await expect.poll(count).toEqual([{ count: 2 }]);
    });
  });

  /** Ends the connection of an open transaction from another one. */
  async function killBackendOf(tx: Tx): Promise<void> {
    const [row] = await tx.query(ownPid);
    await db.query(terminate, row?.pid ?? 0);
  }

  const failedOf = (tx: Tx): Promise<unknown> =>
    tx.query(countRows).catch((error: unknown) => error);

  describe('a lost answer to COMMIT', () => {
    let proxy: LossyProxy;
    let through: Db;
    beforeEach(async () => {
      proxy = await startLossyProxy(opened.location);
      through = await openPostgres({ url: proxy.url, unsafeDurability: true });
    });
    afterEach(async () => {
      await through.close();
      await proxy.remove();
    });

    test('is an unknown outcome, and the transaction turns out to be committed', async () => {
      const failure = await failureOf(
        through.transaction(async (tx) => {
          await tx.query(insertRow, 3);
          proxy.loseNext('COMMIT');
          await tx.commitWith([bind(insertRow, 4)]);
        }),
      );
      expect(failure.kind).toBe('unknown_outcome');
      expect(await through.outcomeOf(failure.xid ?? '')).toBe('committed');
      expect(await db.query(countRows)).toEqual([{ count: 4 }]);
    });

    test('of a single write is an unknown outcome too', async () => {
      proxy.loseNext('INSERT');
      expect((await failureOf(through.query(insertRow, 3))).kind).toBe('unknown_outcome');
    });

    test('is an unknown outcome of everything that was sent and not answered', async () => {
      proxy.loseNext('COMMIT');
      const sent = await Promise.all(
        [3, 4, 5].map((id) => failureOf(through.writeWhole([bind(insertRow, id)]))),
      );
      expect(sent.map(({ kind }) => kind)).toEqual(Array(3).fill('unknown_outcome'));
      // The first was committed; the server may have read the others or not.
      expect((await failureOf(through.writeWhole([bind(insertRow, 3)]))).kind).toBe('data');
      await through.writeWhole([bind(insertRow, 6)]);
    });

    test('of a read may be asked again', async () => {
      proxy.loseNext('SELECT');
      expect((await failureOf(through.query(countRows))).kind).toBe('retryable');
      expect(await through.query(countRows)).toEqual([{ count: 2 }]);
    });

    test('a server that is away is unavailable, and found again when it is back', async () => {
      await through.query(countRows);
      await proxy.stop();
      const kindOf = (): Promise<unknown> =>
        through.query(countRows).then(
          () => 'answered',
          (error: StoreError) => error.kind,
        );
      await expect.poll(kindOf).toBe('unavailable');
      expect((await failureOf(through.transaction((tx) => tx.query(countRows)))).kind).toBe(
        'unavailable',
      );
      await proxy.start();
      await expect.poll(kindOf).toBe('answered');
    });
  });

  describe('a line for hints', () => {
    const heardBy = async (from: Db) => {
      const heard: string[] = [];
      let lost = 0;
      const line = await from.openHints?.({
        onHint: (text) => heard.push(text),
        onLost: () => (lost += 1),
      });
      if (line === undefined) throw new Error('PostgreSQL has hints');
      return { line, heard, lost: () => lost };
    };

    test('carries what is said to everybody on the database, the sender too, in order', async () => {
      const other = await openPostgres({ url: opened.location, unsafeDurability: true });
      const [here, there] = [await heardBy(db), await heardBy(other)];
      await here.line.send('one');
      await here.line.send(`two ${'x'.repeat(7_000)}`);
      await there.line.send('three');
      for (const { heard } of [here, there]) {
        await expect.poll(() => heard.length, { timeout: 60_000 }).toBe(3);
        expect(heard.map((text) => text.split(' ')[0])).toEqual(['one', 'two', 'three']);
      }
      for (const { line } of [here, there]) line.close();
      await other.close();
    });

    test('tells once that it is lost, and nothing after it was closed', async () => {
      const [cut, closed] = [await heardBy(db), await heardBy(db)];
      await closed.line.send('all hear this');
      await expect.poll(() => cut.heard.length, { timeout: 60_000 }).toBe(1);
      closed.line.close();
      await db.exclusive((admin) =>
        admin.script(`
          select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and query like '%listen baton_hints%'
             and pid <> pg_backend_pid()`),
      );
      await expect.poll(cut.lost, { timeout: 60_000 }).toBe(1);
      await expect(cut.line.send('nobody')).rejects.toMatchObject({ kind: 'retryable' });
      expect([cut.lost(), closed.lost()]).toEqual([1, 0]);
    });
  });

  describe('opening', () => {
    test('is refused when commits would not be safe, unless that was asked for', async () => {
      await db.exclusive((admin) =>
        admin.script(`
          do $$ begin
            execute format('alter database %I set synchronous_commit = off', current_database());
          end $$`),
      );
      await expect(openPostgres({ url: opened.location })).rejects.toMatchObject({
        code: 'unsafe_durability',
        publicDetail: { setting: 'synchronous_commit' },
        message: expect.stringContaining('--unsafe-durability'),
      });
      await (await openPostgres({ url: opened.location, unsafeDurability: true })).close();
      await db.exclusive((admin) =>
        admin.script(`
          do $$ begin
            execute format('alter database %I reset synchronous_commit', current_database());
          end $$`),
      );
    });

    test('of a server that is not there fails with the reason', async () => {
      const url = 'postgres://postgres@localhost/postgres?host=/nowhere';
      await expect(openPostgres({ url })).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    test('leaves the dates and time zone of the server aside', async () => {
      await db.exclusive((admin) =>
        admin.script(`
          do $$ begin
            execute format('alter database %I set datestyle = %L', current_database(), 'German, DMY');
            execute format('alter database %I set timezone = %L', current_database(), 'Asia/Tokyo');
          end $$`),
      );
      const other = await openPostgres({ url: opened.location, unsafeDurability: true });
      const at = statement({
        name: 'at',
        args: () => [],
        row: z.strictObject({ at: z.number() }),
        sql: `select '2026-11-20 00:00:00+00'::timestamptz as at`,
      });
      expect(await other.query(at)).toEqual([{ at: Date.UTC(2026, 10, 20) }]);
      await other.close();
    });
  });
});

interface LossyProxy {
  readonly url: string;
  /** Cuts the connection in place of the next answer with this command tag. */
  loseNext(tag: string): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Stands between client and server on a Unix socket of its own. */
async function startLossyProxy(serverUrl: string): Promise<LossyProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-pg-proxy-'));
  const name = '.s.PGSQL.5432';
  // A URL for sockets may leave its host out, which only the driver understands.
  const given = new URL(serverUrl.replace('@/', '@localhost/'));
  const socketFolder = given.searchParams.get('host');
  const connectUpstream = (): Socket =>
    socketFolder === null
      ? connect(Number(given.port || 5432), given.hostname)
      : connect(join(socketFolder, name));
  const open = new Set<Socket>();
  let lost: string | undefined;
  let server: Server | undefined;
  const onClient = (client: Socket): void => {
    const upstream = connectUpstream();
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (lost !== undefined && chunk.includes(lost)) {
        lost = undefined;
        client.destroy();
      } else {
        client.write(chunk);
      }
    });
  };
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      if (server === undefined) resolve(undefined);
      else server.close(resolve);
    });
    for (const socket of open) socket.destroy();
    await closed;
    server = undefined;
  };
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer(onClient).listen(join(folder, name), resolve);
    });
  await start();
  return {
    url: `postgres://${given.username}:${given.password}@localhost${given.pathname}?host=${folder}`,
    loseNext(tag) {
      lost = tag;
    },
    stop,
    start,
    async remove() {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}
