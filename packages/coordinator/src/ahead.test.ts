// Batches decided ahead, on the databases. Each is held by the test between its decision and the database,
// so that what happens meanwhile is certain. Which one is decided ahead is not: it is sent until one is.
import { limitSet, plan as planSchema, runCreate, type Actor } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import { auditDatabase, loadRows, openPostgres, readFeed, StoreError } from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { assembleCoordinator, type Coordinator } from './coordinator.ts';
import { processRuntime } from './runtime.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';
import { createSqlStore } from './store/sql-store.ts';
import { addWorker } from './testing/add-worker.ts';
import { patient } from './testing/patient.ts';
import { CUT_PLACES, startTrainCutter } from './testing/train-cutter.ts';
import { watched } from './testing/watched-store.ts';
import { createSchemaValidator } from './validation/schema-validator.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const msMax = 600_000;
/** More commands than are ever needed until one is decided ahead. */
const sentMax = 500;

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`batches decided ahead on ${database.title}`, () => {
    let opened: OpenDatabase;
    let started: Coordinator[] = [];
    let project = '';
    let ahead: ReturnType<typeof watched>;
    let one: Coordinator;
    beforeAll(async () => {
      opened = await database.open();
    });
    afterAll(() => opened?.close());
    afterEach(async () => {
      for (const it of started) await it.stop();
      started = [];
      const findings = (await auditDatabase(opened.db)).filter((it) => it.count > 0);
      if (findings.length > 0) throw new Error(JSON.stringify(findings));
    });

    async function start(store: CoordinatorStore): Promise<Coordinator> {
      const ports = { store, runtime: processRuntime, validator: createSchemaValidator() };
      const it = assembleCoordinator(ports, { log: quiet, engines: ['shell'], ...patient });
      started.push(it);
      await it.start();
      return it;
    }

    async function startOne(store = createSqlStore(opened.db)): Promise<void> {
      project = `prj_${randomUUID().slice(0, 8)}`;
      ahead = watched(store);
      one = await start(ahead.store);
    }

    const create = (it: Coordinator, goal: string, key?: string): Promise<Reply> => {
      const plan = planSchema.parse({
        tasks: [{ key: 'a', kind: 'command', spec: 'true', concurrency: ['db'] }],
      });
      const body = runCreate.parse({ goal, deliver: 'none', plan });
      const idempotency =
        key === undefined ? undefined : { scope: project, key, requestSha256: 'same' };
      return it.submit({ type: 'run.create', project, actor, body }, { idempotency });
    };
    const dispatch = (it: Coordinator, worker: string) =>
      it.submit({ type: 'work.dispatch', project, actor, workers: [{ worker, max: 1 }] });

    /** Sends until one of them is decided ahead; it waits before the database until it is let go. */
    async function sendHeld(
      type: string,
      send: (n: number) => Promise<Reply>,
      fail?: StoreError,
    ): Promise<{ readonly answer: Promise<Reply>; readonly letGo: () => void }> {
      for (let n = 0; n < sentMax; n++) {
        let letGo = (): void => undefined;
        const released = new Promise<void>((resolve) => (letGo = resolve));
        const reached = new Promise<'held'>((resolve) =>
          ahead.meetNext(type, async () => {
            resolve('held');
            await released;
            if (fail !== undefined) throw fail;
          }),
        );
        const answer = send(n);
        // Whoever waits for it is told of a refusal.
        answer.catch(() => undefined);
        if ((await Promise.race([reached, answer.catch(() => null)])) === 'held') {
          return { answer, letGo };
        }
        ahead.meetNone();
      }
      throw new Error(`nothing that tells ${type} was decided ahead`);
    }

    /** Types of the events of the project's runs, with the goals of the runs. */
    async function toldOf(type: string): Promise<string[]> {
      const all = await readFeed(opened.db, 0, undefined, 100_000);
      const runs = all
        .filter(({ event }) => event.type === type && event.projectId === project)
        .flatMap(({ event }) => event.runId ?? []);
      const rows = await loadRows(opened.db, 'runs', runs);
      return runs.map((id) => rows.get(id)?.goal ?? '').toSorted();
    }

    test(
      'one key in two batches under way takes effect once, and both give its answer',
      async () => {
        await startOne();
        const goals: string[] = [];
        for (let round = 0; ahead.underWayMost() < 2 && round < sentMax; round++) {
          let last = '';
          const { answer, letGo } = await sendHeld('run.created', (n) => {
            goals.push((last = `${round} ${n}`));
            return create(one, last, last);
          });
          const again = create(one, last, last);
          for (let turn = 0; turn < 20; turn++) await processRuntime.turn();
          letGo();
          expect(await again).toEqual(await answer);
        }
        expect(ahead.underWayMost()).toBe(2);
        expect(await toldOf('run.created')).toEqual(goals.toSorted());
      },
      msMax,
    );

    test.each(['retryable', 'unavailable', 'data', 'unknown_outcome'] as const)(
      'what fails as %s before the database has it is run again, once',
      async (kind) => {
        await startOne();
        const goals: string[] = [];
        const send = (n: number) => {
          goals.push(`${n}`);
          return create(one, `${n}`);
        };
        const fault = new StoreError(kind, 'as the test says');
        const { answer, letGo } = await sendHeld('run.created', send, fault);
        const behind = create(one, 'behind');
        letGo();
        const { run = '' } = await answer;
        await behind;
        const rows = await loadRows(opened.db, 'runs', [run]);
        expect(rows.get(run)?.goal).toBe(goals.at(-1));
        expect(ahead.fates).toContain(kind);
        expect(await toldOf('run.created')).toEqual([...goals, 'behind'].toSorted());
      },
      msMax,
    );

    test(
      'what the database has and did not answer is found, and not done again',
      async () => {
        await startOne();
        let isLost = false;
        let sent = 0;
        for (; !isLost && sent < sentMax; sent++) {
          ahead.meetNext('run.created', async (write) => {
            await write();
            isLost = true;
            throw new StoreError('unknown_outcome', 'as the test says');
          });
          const { run = '' } = await create(one, `${sent}`);
          expect((await loadRows(opened.db, 'runs', [run])).get(run)?.goal).toBe(`${sent}`);
        }
        expect(ahead.fates).toContain('unknown_outcome');
        expect((await toldOf('run.created')).length).toBe(sent);
      },
      msMax,
    );

    test.each([undefined, 'retryable', 'unknown_outcome'] as const)(
      'who stops answers what is under way, also when that fails: %s',
      async (kind) => {
        await startOne();
        const fault = kind && new StoreError(kind, 'as the test says');
        const send = (n: number) => create(one, `${n}`);
        const { answer, letGo } = await sendHeld('run.created', send, fault);
        const behind = create(one, 'behind');
        const stopped = one.stop();
        letGo();
        expect((await answer).run).toBeDefined();
        expect((await behind).run).toBeDefined();
        await stopped;
        expect((await toldOf('run.created')).filter((it) => it === 'behind')).toHaveLength(1);
      },
      msMax,
    );

    test(
      'a listener that throws keeps no answer from anybody',
      async () => {
        await startOne();
        one.onCommitted(() => {
          throw new Error('as the test says');
        });
        const { answer, letGo } = await sendHeld('run.created', (n) => create(one, `${n}`));
        const behind = create(one, 'behind');
        letGo();
        expect((await answer).run).toBeDefined();
        expect((await behind).run).toBeDefined();
      },
      msMax,
    );

    // The embedded database has one owner.
    if (database.name !== 'postgres') return;

    test(
      'two coordinators that write in turns: each batch decided ahead is overtaken, and takes effect once',
      async () => {
        await startOne();
        const two = await start(createSqlStore(opened.db));
        const goals: string[] = [];
        for (let turn = 0; turn < 10; turn++) {
          const { answer, letGo } = await sendHeld('run.created', (n) => {
            goals.push(`one ${turn} ${n}`);
            return create(one, `one ${turn} ${n}`);
          });
          const { run: other = '' } = await create(two, `two ${turn}`);
          letGo();
          const { run = '' } = await answer;
          const rows = await loadRows(opened.db, 'runs', [run, other]);
          expect([run, other].map((id) => rows.get(id)?.goal)).toEqual([
            goals.at(-1),
            `two ${turn}`,
          ]);
          goals.push(`two ${turn}`);
        }
        expect(ahead.fates.filter((it) => it === 'retryable').length).toBeGreaterThanOrEqual(10);
        expect(await toldOf('run.created')).toEqual(goals.toSorted());
      },
      msMax,
    );

    test(
      'a run that is cancelled between decision and database is not completed',
      async () => {
        await startOne();
        const two = await start(createSqlStore(opened.db));
        const worker = await addWorker(one, project, 'hand', 100);
        let last = '';
        const { answer, letGo } = await sendHeld('task.completed', async (n) => {
          const { run = '' } = await create(one, `${n}`);
          last = run;
          const attempt = (await dispatch(one, worker)).claimed?.[0]?.attempt ?? '';
          const epoch = (await one.assignmentOf(attempt))?.attempt.epoch ?? -1;
          const base = { project, actor, attempt, worker };
          await one.submit({ ...base, type: 'attempt.start', body: { epoch } });
          const body = { epoch, result: { status: 'success' as const, summary: '' } };
          return one.submit({ ...base, type: 'attempt.complete', body });
        });
        await two.submit({ type: 'run.cancel', project, actor, run: last, reason: null });
        letGo();
        await answer.catch(() => undefined);
        const all = await readFeed(opened.db, 0, undefined, 100_000);
        const types = all.filter((it) => it.event.runId === last).map((it) => it.event.type);
        expect(types).toContain('run.cancelling');
        expect(types).not.toContain('task.completed');
      },
      msMax,
    );

    test.each(['drained', 'limited'] as const)(
      'nothing is handed out to a worker, or under a key, that is %s between decision and database',
      async (how) => {
        await startOne();
        const two = await start(createSqlStore(opened.db));
        const worker = await addWorker(one, project, 'hand', 1_000);
        // One runs by now, whatever is decided ahead.
        await create(one, 'first');
        expect((await dispatch(one, worker)).claimed).toHaveLength(1);
        const { answer, letGo } = await sendHeld('attempt.claimed', async (n) => {
          await create(one, `${n}`);
          return dispatch(one, worker);
        });
        const base = { project, actor };
        await (how === 'drained'
          ? two.submit({ ...base, type: 'worker.drain', worker, draining: true })
          : two.submit({
              ...base,
              type: 'limit.set',
              key: 'db',
              body: limitSet.parse({ max_running: 1 }),
            }));
        letGo();
        expect((await answer).claimed).toEqual([]);
      },
      msMax,
    );

    test(
      'work that another one holds just now is passed over, also where a queue is only looked at',
      async () => {
        const faults: unknown[] = [];
        const store = createSqlStore(opened.db);
        await startOne({
          ...store,
          transaction: (work) =>
            store.transaction(work).catch((error: unknown) => {
              if (error instanceof StoreError) faults.push(error);
              throw error;
            }),
        });
        const worker = await addWorker(one, project, 'hand', 10);
        const { run: held = '' } = await create(one, 'held');
        const { run: free = '' } = await create(one, 'free');
        let letGo = (): void => undefined;
        const released = new Promise<void>((resolve) => (letGo = resolve));
        let arrive = (): void => undefined;
        const reached = new Promise<void>((resolve) => (arrive = resolve));
        const holding = opened.db.exclusive(async (admin) => {
          await admin.script(`begin; set local idle_in_transaction_session_timeout = 0;
            select id from runs where id = '${held}' for no key update`);
          arrive();
          await released;
          await admin.script('rollback');
        });
        await reached;
        const { claimed = [] } = await dispatch(one, worker);
        letGo();
        await holding;
        const runs = claimed.map(async (it) => (await one.assignmentOf(it.attempt))?.run.id);
        expect(await Promise.all(runs)).toEqual([free]);
        expect(faults).toEqual([]);
      },
      msMax,
    );

    test(
      'a connection that is cut at every point of a batch: one effect each, and the right answer',
      async () => {
        const cutter = await startTrainCutter(opened.location);
        const db = await openPostgres({ url: cutter.url, checkRows: true, unsafeDurability: true });
        onTestFinished(async () => {
          await db.close();
          await cutter.close();
        });
        await startOne(createSqlStore(db));
        const cutsWanted = 3;
        const isCutEnough = () => CUT_PLACES.every((it) => cutter.cuts[it] >= cutsWanted);
        const goals: string[] = [];
        const sendMany = () =>
          Promise.all(
            Array.from({ length: 3 }, async (_, n) => {
              const goal = `${goals.length} ${n}`;
              goals.push(goal);
              const { run = '' } = await create(one, goal, goal);
              return [run, goal] as const;
            }),
          );
        const answers: (readonly [string, string])[] = [];
        for (let round = 0; !isCutEnough() && round < sentMax; round++) {
          cutter.cutNext(CUT_PLACES[round % CUT_PLACES.length] ?? 'unsent');
          answers.push(...(await sendMany()));
        }
        cutter.cutNext(undefined);
        expect(isCutEnough()).toBe(true);
        const rows = await loadRows(
          opened.db,
          'runs',
          answers.map(([run]) => run),
        );
        expect(answers.map(([run]) => rows.get(run)?.goal)).toEqual(
          answers.map(([, goal]) => goal),
        );
        expect(await toldOf('run.created')).toEqual(goals.toSorted());
      },
      msMax,
    );
  });
}
