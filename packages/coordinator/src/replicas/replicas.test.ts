import { plan as planSchema, runCreate, type Actor } from '@baton/contract';
import type { Db } from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { assembleCoordinator, type CommittedEvent, type Coordinator } from '../coordinator.ts';
import { processRuntime, type Runtime } from '../runtime.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';
import { createSqlStore } from '../store/sql-store.ts';
import { addWorker } from '../testing/add-worker.ts';
import { patient } from '../testing/patient.ts';
import { createSchemaValidator } from '../validation/schema-validator.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const bound = { timeout: 60_000, interval: 20 };

/** Nothing that looks now and then looks: what arrives was told. */
const withoutPolls: Runtime = {
  ...processRuntime,
  after: (delayMs, call) =>
    delayMs >= 5_000 ? () => undefined : processRuntime.after(delayMs, call),
};

/** Ends the connections that hints travel on. */
const endLines = (db: Db): Promise<void> =>
  db.exclusive((admin) =>
    admin.script(`
      do $$ begin
        if (select count(pg_terminate_backend(pid))
              from pg_stat_activity
             where datname = current_database()
               and pid <> pg_backend_pid()
               and query like '%pg_notify%') < 2 then
          raise 'there are no such connections';
        end if;
      end $$`),
  );

interface Replica {
  readonly it: Coordinator;
  readonly told: CommittedEvent[];
  readonly assigned: string[];
}

// The embedded database has one owner.
for (const database of freshDatabases().filter((it) => it.name === 'postgres')) {
  describe.skipIf(database.isSkipped)(`replicas on ${database.title}`, () => {
    let opened: OpenDatabase;
    let started: Coordinator[] = [];
    let project = '';
    beforeAll(async () => {
      opened = await database.open();
    });
    afterAll(() => opened?.close());
    afterEach(async () => {
      for (const it of started) await it.stop();
      started = [];
    });

    async function start(
      runtime: Runtime = withoutPolls,
      change: (store: CoordinatorStore) => CoordinatorStore = (store) => store,
    ): Promise<Replica> {
      const store = change(createSqlStore(opened.db));
      const ports = { store, runtime, validator: createSchemaValidator() };
      const it = assembleCoordinator(ports, { log: quiet, engines: ['shell'], ...patient });
      started.push(it);
      const told: CommittedEvent[] = [];
      const assigned: string[] = [];
      it.onCommitted((events) => told.push(...events));
      it.onAssigned(({ attempts }) => assigned.push(...attempts));
      await it.start();
      return { it, told, assigned };
    }

    async function startTwo(): Promise<[Replica, Replica]> {
      project = `prj_${randomUUID().slice(0, 8)}`;
      const two: [Replica, Replica] = [await start(), await start()];
      await untilHinted(...two);
      return two;
    }

    /** Each hears what the other one commits; until then they may have missed each other. */
    async function untilHinted(one: Replica, two: Replica): Promise<void> {
      for (const [from, to] of [
        [one, two],
        [two, one],
      ] as const) {
        await vi.waitFor(async () => {
          const { run } = await create(from);
          await vi.waitFor(() => expect(runsTold(to)).toContain(run), { timeout: 500 });
        }, bound);
      }
    }

    const create = (from: Pick<Replica, 'it'>, spec: object = { dispatch: 'manual' }) =>
      from.it.submit({
        type: 'run.create',
        project,
        actor,
        body: runCreate.parse({
          deliver: 'none',
          plan: planSchema.parse({ tasks: [{ key: 'a', kind: 'command', spec: 'true', ...spec }] }),
        }),
      });

    const runsTold = ({ told }: Replica) => told.map(({ runId }) => runId);

    test('each tells what both commit, once and in the order of the feed', async () => {
      const [one, two] = await startTwo();
      const from = Math.max(...[one, two].map(({ told }) => told.at(-1)?.pos ?? 0));
      const made = await Promise.all(
        Array.from({ length: 60 }, (_, index) => create(index % 2 === 0 ? one : two)),
      );
      const head = (await createSqlStore(opened.db).feedHead()).pos;
      for (const { told } of [one, two]) {
        await vi.waitFor(() => expect(told.at(-1)?.pos).toBe(head), bound);
        const fresh = told.filter(({ pos }) => pos > from);
        expect(fresh.map(({ pos }) => pos)).toEqual(fresh.map((_, index) => from + 1 + index));
        expect(new Set(fresh.map(({ runId }) => runId))).toEqual(new Set(made.map((it) => it.run)));
        expect(fresh.map(({ isOwn }) => isOwn)).toContain(false);
      }
      for (const { pos, isOwn } of one.told) {
        const other = two.told.find((it) => it.pos === pos);
        // A replica may read its own commit before it hears that it committed: then it is nobody's own.
        expect(isOwn && other?.isOwn === true).toBe(false);
      }
    });

    test('work that comes to one is handed at once to a worker that waits at the other', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'idle', 1);
      two.it.parkWorker(worker, project, 1);
      // Needs that this replica has never met: another tool name each time.
      const { run } = await create(one, { needs: { tools: [`tool-${randomUUID().slice(0, 8)}`] } });
      await create(one, {});
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
      const claim = two.told.find(({ type }) => type === 'attempt.claimed');
      expect(claim?.runId).not.toBe(run);
      expect(claim?.data).toMatchObject({ worker });
    });

    test('needs that are new here do not make work wait either', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'labelled', 1);
      two.it.parkWorker(worker, project, 1);
      await create(one, { needs: { worker: 'labelled' } });
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
    });

    test('a place that one frees is filled by the other', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'small', 1);
      two.it.parkWorker(worker, project, 1);
      const first = await create(two, {});
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
      await create(two, {});
      expect(two.assigned).toHaveLength(1);
      const epoch = (await one.it.assignmentOf(two.assigned[0] ?? ''))?.attempt.epoch ?? 0;
      const attempt = two.assigned[0] ?? '';
      const said = { project, actor, worker, attempt };
      await one.it.submit({
        ...said,
        type: 'attempt.fail',
        body: { epoch, reason: 'no', failure_class: 'agent_error' },
      });
      await vi.waitFor(() => expect(two.assigned).toHaveLength(2), bound);
      expect(first.run).toBeDefined();
    });

    test('a limit that one lifts lets the other’s worker begin', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'held', 2);
      const limit = (max_running: number) =>
        one.it.submit({
          type: 'limit.set',
          project,
          actor,
          key: 'db',
          body: { max_running, rate_per_minute: null, burst: 1 },
        });
      await limit(1);
      two.it.parkWorker(worker, project, 2);
      await create(one, { concurrency: ['db'] });
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
      const held = await create(one, { concurrency: ['db'] });
      await vi.waitFor(() => expect(runsTold(two)).toContain(held.run), bound);
      expect(two.assigned).toHaveLength(1);
      await limit(2);
      await vi.waitFor(() => expect(two.assigned).toHaveLength(2), bound);
    });

    test('a replica whose line is cut opens it again and misses nothing', async () => {
      const [one, two] = await startTwo();
      await endLines(opened.db);
      const made = await Promise.all(Array.from({ length: 5 }, () => create(one)));
      await vi.waitFor(
        () => expect(runsTold(two)).toEqual(expect.arrayContaining(made.map(({ run }) => run))),
        bound,
      );
      await untilHinted(one, two);
      const positions = two.told.map(({ pos }) => pos);
      expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index));
    });

    test('without a line it looks by itself, often', async () => {
      project = `prj_${randomUUID().slice(0, 8)}`;
      const deaf = (store: CoordinatorStore): CoordinatorStore => ({
        ...store,
        openHints: () => Promise.reject(new Error('no line today')),
      });
      const one = await start(withoutPolls, deaf);
      const two = await start(withoutPolls, deaf);
      const worker = await addWorker(two.it, project, 'idle', 1);
      two.it.parkWorker(worker, project, 1);
      const { run } = await create(one, {});
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
      expect(runsTold(two)).toContain(run);
    });

    test('one alone tells nobody anything for its commits', async () => {
      project = `prj_${randomUUID().slice(0, 8)}`;
      const said: string[] = [];
      const one = await start(withoutPolls, (store) => ({
        ...store,
        async openHints(listener) {
          const line = await createSqlStore(opened.db).openHints?.(listener);
          if (line === undefined) throw new Error('PostgreSQL has hints');
          return {
            close: () => line.close(),
            send(text) {
              said.push(text);
              return line.send(text);
            },
          };
        },
      }));
      await Promise.all(Array.from({ length: 50 }, () => create(one)));
      expect(said.length).toBeLessThanOrEqual(1);
    });

    test('why a task waits is told alike by both, whoever’s it is', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'there', 1);
      const { run } = await create(one, { needs: { worker: 'there' } });
      const made = () => one.told.find((it) => it.runId === run && it.type === 'task.created');
      await vi.waitFor(() => expect(made()).toBeDefined(), bound);
      const task = made()?.taskId;
      const [here, there] = await Promise.all(
        [one, two].map(({ it }) => it.explain(project, task ?? '')),
      );
      expect(here?.candidates.map((it) => it.worker)).toEqual([worker]);
      expect(there).toEqual(here);
    });

    test('output that one stores is told at the other', async () => {
      const [one, two] = await startTwo();
      const worker = await addWorker(two.it, project, 'writer', 1);
      two.it.parkWorker(worker, project, 1);
      await create(one, {});
      await vi.waitFor(() => expect(two.assigned).toHaveLength(1), bound);
      const attempt = two.assigned[0] ?? '';
      const epoch = (await two.it.assignmentOf(attempt))?.attempt.epoch ?? 0;
      const heard: string[] = [];
      one.it.logs.onAppend((it) => heard.push(it));
      const data = new TextEncoder().encode('hello');
      await two.it.logs.append({ attempt, worker, epoch, stream: 'stdout', offset: 0, data });
      await vi.waitFor(() => expect(heard).toEqual([attempt]), bound);
    });

    test('a credential that is taken back at one is told at the other', async () => {
      const [one, two] = await startTwo();
      const heard: (string | undefined)[] = [];
      two.it.onRevoked((it) => heard.push(it));
      one.it.tellRevoked('key_1');
      await vi.waitFor(() => expect(heard).toEqual(['key_1']), bound);
    });
  });
}
