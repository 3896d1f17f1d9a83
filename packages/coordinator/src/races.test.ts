import { plan as planSchema, runCreate, type Actor } from '@baton/contract';
import { loadList, loadRows, StoreError } from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { assembleCoordinator, type Coordinator } from './coordinator.ts';
import { processRuntime } from './runtime.ts';
import type { BatchTx } from './store/batch-store.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';
import { createSqlStore } from './store/sql-store.ts';
import { addWorker } from './testing/add-worker.ts';
import { patient } from './testing/patient.ts';
import { createSchemaValidator } from './validation/schema-validator.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const msMax = 600_000;

/** Places in a batch where it can be held, so that one interleaving is certain. */
type Point = 'after locks' | 'before commit' | 'after commit';

/** A batch that is held, or will be. */
interface Hold {
  /** Resolves when a batch has come to the point. */
  readonly reached: Promise<void>;
  readonly release: () => void;
}

/** A store whose batch about something can be held at a point, one at a time. */
function holdable(store: CoordinatorStore) {
  let held:
    | { point: Point; about: string; arrive: () => void; released: Promise<void> }
    | undefined;

  /** A batch of the sweeps, which run beside the test, is not the one that is meant. */
  async function pass(point: Point, named: readonly string[]): Promise<void> {
    if (held?.point !== point || !named.join().includes(held.about)) return;
    const { arrive, released } = held;
    held = undefined;
    arrive();
    await released;
  }

  /** `named`: what the batch has named so far. */
  const wrap = (tx: BatchTx, named: string[]): BatchTx => ({
    open(names) {
      named.push(JSON.stringify(names));
      return tx.open(names);
    },
    async lockRuns(runs) {
      named.push(...runs);
      const versions = await tx.lockRuns(runs);
      await pass('after locks', named);
      return versions;
    },
    lockCandidates: (...args) => tx.lockCandidates(...args),
    seeQueue: (...args) => tx.seeQueue(...args),
    lockRisen: (...args) => tx.lockRisen(...args),
    lockFreeSlots: (...args) => tx.lockFreeSlots(...args),
    loadRows: (table, ids) => tx.loadRows(table, ids),
    loadList: (list, owners) => tx.loadList(list, owners),
    loadSlots: (workers) => tx.loadSlots(workers),
    async commit(writes) {
      await pass('before commit', named);
      const place = await tx.commit(writes);
      await pass('after commit', named);
      return place;
    },
    rollback: () => tx.rollback(),
  });

  return {
    store: {
      ...store,
      // Only a transaction can be held between its locks and its writes.
      write: () => Promise.reject(new StoreError('retryable', 'every batch asks the store')),
      transaction: (work) => store.transaction((tx) => work(wrap(tx, []))),
    } satisfies CoordinatorStore,
    /** `about`: an id or a key that the batch names. */
    holdAt(point: Point, about: string): Hold {
      let arrive = (): void => undefined;
      let release = (): void => undefined;
      const reached = new Promise<void>((resolve) => (arrive = resolve));
      const released = new Promise<void>((resolve) => (release = resolve));
      held = { point, about, arrive, released };
      return { reached, release };
    },
  };
}

// The embedded database has one owner.
for (const database of freshDatabases().filter((it) => it.name === 'postgres')) {
  describe.skipIf(database.isSkipped)(`two coordinators on ${database.title}`, () => {
    let opened: OpenDatabase;
    let started: Coordinator[] = [];
    let project = '';
    let one: Coordinator;
    let two: Coordinator;
    let holdOne: (point: Point, about: string) => Hold;
    beforeAll(async () => {
      opened = await database.open();
    });
    afterAll(() => opened?.close());
    afterEach(async () => {
      for (const it of started) await it.stop();
      started = [];
    });

    async function start(store: CoordinatorStore): Promise<Coordinator> {
      const ports = { store, runtime: processRuntime, validator: createSchemaValidator() };
      const it = assembleCoordinator(ports, { log: quiet, engines: ['shell'], ...patient });
      started.push(it);
      await it.start();
      return it;
    }

    async function startBoth(): Promise<void> {
      project = `prj_${randomUUID().slice(0, 8)}`;
      const first = holdable(createSqlStore(opened.db));
      holdOne = (point, about) => first.holdAt(point, about);
      one = await start(first.store);
      two = await start(createSqlStore(opened.db));
    }

    const runOf = (spec: object) => ({
      type: 'run.create' as const,
      project,
      actor,
      body: runCreate.parse({
        deliver: 'none',
        plan: planSchema.parse({ tasks: [{ key: 'a', kind: 'command', spec: 'true', ...spec }] }),
      }),
    });
    const dispatch = (it: Coordinator, worker: string) =>
      it.submit({ type: 'work.dispatch', project, actor, workers: [{ worker, max: 1 }] });

    const statusOf = async (run: string) =>
      (await loadRows(opened.db, 'runs', [run])).get(run)?.status;

    /** A task that a worker has, with its epoch. */
    async function claimed(): Promise<{
      run: string;
      attempt: string;
      worker: string;
      epoch: number;
    }> {
      const { run = '' } = await two.submit(runOf({}));
      const worker = await addWorker(two, project, `w-${randomUUID().slice(0, 6)}`, 1);
      const { claimed: all = [] } = await dispatch(two, worker);
      const attempt = all[0]?.attempt ?? '';
      const epoch = (await two.assignmentOf(attempt))?.attempt.epoch ?? -1;
      return { run, attempt, worker, epoch };
    }

    test(
      'of two who decide a question at once the first to hold its run wins, the other is told',
      async () => {
        await startBoth();
        const { run = '' } = await two.submit(runOf({ kind: 'human', spec: 'Which?' }));
        const tasks = (await loadList(opened.db, 'tasksOfRun', [run])).get(run);
        const [task] = [...(tasks?.keys() ?? [])];
        const decide = (it: Coordinator, text: string) =>
          it.submit({
            type: 'task.decide',
            project,
            actor,
            task: task ?? '',
            verb: 'answer',
            body: { text },
            via: 'api',
          });
        const hold = holdOne('before commit', run);
        const first = decide(one, 'left');
        await hold.reached;
        // Who loses may be told before who wins: the refusal is caught from the start.
        const second = decide(two, 'right').catch((error: unknown) => error);
        hold.release();
        await expect(first).resolves.toMatchObject({ run });
        expect(await second).toMatchObject({
          code: expect.stringMatching(/checkpoint_closed|wrong_status/) as string,
        });
      },
      msMax,
    );

    test(
      'what one replica is about to hand out is passed over by the other, without waiting',
      async () => {
        await startBoth();
        const workers = await Promise.all(
          ['a', 'b', 'c', 'd'].map((name) => addWorker(two, project, name, 1)),
        );
        const [a = '', b = '', c = '', d = ''] = workers;
        await Promise.all(workers.map(() => one.submit(runOf({}))));
        // Until both know what is wanted.
        for (const [it, worker] of [
          [one, c],
          [two, d],
        ] as const) {
          await vi.waitFor(
            async () => expect((await dispatch(it, worker)).claimed).toHaveLength(1),
            {
              timeout: 120_000,
            },
          );
        }
        const hold = holdOne('before commit', a);
        const first = dispatch(one, a);
        await hold.reached;
        // Answered while the other one holds its locks; it may have locked more than it takes.
        const { claimed: meanwhile = [] } = await dispatch(two, b);
        hold.release();
        const { claimed: ofOne = [] } = await first;
        const { claimed: later = [] } = await dispatch(two, b);
        const all = [...ofOne, ...meanwhile, ...later].map((it) => it.attempt);
        const runs = await Promise.all(all.map(async (it) => (await two.assignmentOf(it))?.run.id));
        expect(all).toHaveLength(2);
        expect(new Set(runs).size).toBe(2);
      },
      msMax,
    );

    test(
      'one key sent to both replicas takes effect once, and both give the same answer',
      async () => {
        await startBoth();
        const idempotency = { scope: project, key: 'sent-to-both', requestSha256: 'same' };
        const hold = holdOne('before commit', idempotency.key);
        const first = one.submit(runOf({}), { idempotency });
        await hold.reached;
        const second = two.submit(runOf({}), { idempotency });
        hold.release();
        expect(await second).toEqual(await first);
      },
      msMax,
    );

    test(
      'a result that is being written when its run is cancelled stands',
      async () => {
        await startBoth();
        const { run, attempt, worker, epoch } = await claimed();
        const hold = holdOne('after locks', attempt);
        const result = { status: 'success' as const, summary: '' };
        const base = { project, actor, attempt, worker };
        const done = one.submit({ ...base, type: 'attempt.complete', body: { epoch, result } });
        await hold.reached;
        const cancel = two.submit({ type: 'run.cancel', project, actor, run, reason: null });
        const refused = cancel.catch((error: unknown) => error);
        hold.release();
        await done;
        expect(await refused).toMatchObject({ code: 'run_ended' });
        expect(await statusOf(run)).toBe('completed');
      },
      msMax,
    );

    test(
      'a result whose replica did not live to answer is known to the other one',
      async () => {
        await startBoth();
        const { attempt, worker, epoch } = await claimed();
        const body = { epoch, result: { status: 'success' as const, summary: '' } };
        const report = { type: 'attempt.complete' as const, project, actor, attempt, worker, body };
        const hold = holdOne('after commit', attempt);
        const first = one.submit(report);
        await hold.reached;
        expect(await two.submit(report)).toMatchObject({ attempt, already: true });
        hold.release();
        await first;
      },
      msMax,
    );

    test(
      'a replica that freezes with its locks holds the others up for seconds only, and undoes nothing',
      async () => {
        await startBoth();
        const { run, attempt, worker, epoch } = await claimed();
        const body = { epoch, result: { status: 'success' as const, summary: '' } };
        const report = { type: 'attempt.complete' as const, project, actor, attempt, worker, body };
        const hold = holdOne('before commit', run);
        const cancel = one.submit({ type: 'run.cancel', project, actor, run, reason: null });
        const frozen = cancel.catch(() => undefined);
        await hold.reached;
        // Waits until the database has dropped the frozen one.
        await two.submit(report);
        hold.release();
        await frozen;
        expect(await statusOf(run)).toBe('completed');
      },
      msMax,
    );
  });
}
