import { limitSet, plan as planSchema, runCreate, type Actor } from '@baton/contract';
import { loadList } from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createCoordinator, type CommittedEvent, type Coordinator } from './coordinator.ts';
import { addWorker } from './testing/add-worker.ts';
import { patient } from './testing/patient.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** Bound of every wait; a race under load takes a few seconds, and many where all is slow. */
const waitMs = 240_000;
const msMax = 300_000;

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`limits on ${database.title}`, () => {
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

    async function start(): Promise<Coordinator> {
      const it = createCoordinator({
        db: opened.db,
        log: quiet,
        engines: ['shell', 'claude'],
        ...patient,
      });
      started.push(it);
      await it.start();
      return it;
    }

    const create = (it: Coordinator, count: number, concurrency: string[]) =>
      it.submit({
        type: 'run.create',
        project,
        actor,
        body: runCreate.parse({
          goal: 'test',
          deliver: 'none',
          plan: planSchema.parse({
            tasks: Array.from({ length: count }, (_, at) => ({
              key: `t${at}`,
              kind: 'command' as const,
              spec: 'true',
              concurrency,
            })),
          }),
        }),
      });

    const setLimit = (it: Coordinator, key: string, body: object) =>
      it.submit({ type: 'limit.set', project, actor, key, body: limitSet.parse(body) });

    /** Starts and completes all that a coordinator hands out, a while after it got it. */
    function work(it: Coordinator, faults: unknown[]): void {
      const epochs = new Map<string, number>();
      it.onCommitted((events) => {
        for (const event of events) {
          if (event.type === 'attempt.claimed' && event.attemptId !== null) {
            epochs.set(event.attemptId, Number(event.data['epoch']));
          }
        }
      });
      it.onAssigned(({ worker, attempts }) => {
        for (const attempt of attempts) {
          const base = { project, actor, attempt, worker } as const;
          const body = { epoch: epochs.get(attempt) ?? -1 };
          it.submit({ ...base, type: 'attempt.start', body })
            .then(() =>
              it.submit({
                ...base,
                type: 'attempt.complete',
                body: { ...body, result: { status: 'success', summary: '' } },
              }),
            )
            .catch((error: unknown) => faults.push(error));
        }
      });
    }

    test(
      'two coordinators never run more under a key than it allows, at any commit',
      async () => {
        project = `prj_${randomUUID().slice(0, 8)}`;
        const replicas = [await start(), await start()];
        const [first, second] = replicas;
        if (first === undefined || second === undefined) throw new Error('not started');
        await setLimit(first, 'db', { max_running: 3 });
        const faults: unknown[] = [];
        const seen: CommittedEvent[] = [];
        const told = new Set<number>();
        let ended = 0;
        const done = new Promise<void>((resolve, reject) => {
          setTimeout(() => reject(new Error(`only ${ended} of 60 ended`)), waitMs).unref();
          for (const it of replicas) {
            // Each is told what both commit.
            it.onCommitted((all) => {
              const events = all.filter((event) => !told.has(event.pos));
              for (const event of events) told.add(event.pos);
              seen.push(...events);
              ended += events.filter((event) => event.type === 'attempt.succeeded').length;
              if (ended === 60) resolve();
            });
          }
        });
        for (const [at, it] of replicas.entries()) {
          work(it, faults);
          const worker = await addWorker(it, project, `w${at}`, 10);
          it.parkWorker(worker, project, 10);
        }
        await Promise.all([create(first, 30, ['db']), create(second, 30, ['db'])]);
        await done;
        let running = 0;
        let most = 0;
        for (const event of seen.toSorted((a, b) => a.pos - b.pos)) {
          if (event.type === 'attempt.claimed') running += 1;
          if (event.type === 'attempt.succeeded') running -= 1;
          most = Math.max(most, running);
        }
        expect(faults).toEqual([]);
        expect(most).toBe(3);
        expect(running).toBe(0);
      },
      msMax,
    );

    test(
      'a limit that is set while two coordinators hand out work counts all that runs',
      async () => {
        project = `prj_${randomUUID().slice(0, 8)}`;
        const replicas = [await start(), await start()];
        const [first, second] = replicas;
        if (first === undefined || second === undefined) throw new Error('not started');
        const faults: unknown[] = [];
        const seen: CommittedEvent[] = [];
        const told = new Set<number>();
        let ended = 0;
        let reached = (): void => undefined;
        const some = new Promise<void>((resolve) => (reached = resolve));
        const done = new Promise<void>((resolve, reject) => {
          setTimeout(() => reject(new Error(`only ${ended} of 120 ended`)), waitMs).unref();
          for (const it of replicas) {
            // Each is told what both commit.
            it.onCommitted((all) => {
              const events = all.filter((event) => !told.has(event.pos));
              for (const event of events) told.add(event.pos);
              seen.push(...events);
              ended += events.filter((event) => event.type === 'attempt.succeeded').length;
              if (ended >= 20) reached();
              if (ended === 120) resolve();
            });
          }
        });
        for (const [at, it] of replicas.entries()) {
          work(it, faults);
          const worker = await addWorker(it, project, `w${at}`, 6);
          it.parkWorker(worker, project, 6);
        }
        await Promise.all([create(first, 60, ['db']), create(second, 60, ['db'])]);
        await some;
        await setLimit(first, 'db', { max_running: 2 });
        await done;
        let running = 0;
        let allowed = Number.POSITIVE_INFINITY;
        for (const event of seen.toSorted((a, b) => a.pos - b.pos)) {
          if (event.type === 'attempt.claimed') running += 1;
          if (event.type === 'attempt.succeeded') running -= 1;
          if (event.type === 'limit.set') allowed = Math.max(2, running);
          expect(running).toBeLessThanOrEqual(allowed);
          // What ran when it was set may go on; nothing more may start until it is below.
          if (Number.isFinite(allowed)) allowed = Math.max(2, running);
        }
        expect(faults).toEqual([]);
        const id = `${project}/db`;
        const places = (await loadList(opened.db, 'slotsOfLimit', [id])).get(id)?.values() ?? [];
        expect([...places].map((it) => it.attemptId)).toEqual(['', '']);
      },
      msMax,
    );

    test(
      'a run of ten tasks is not behind one of thousands that came before it',
      async () => {
        project = `prj_${randomUUID().slice(0, 8)}`;
        const it = await start();
        const faults: unknown[] = [];
        const starts: string[] = [];
        let few = '';
        const fewAreDone = new Promise<void>((resolve, reject) => {
          setTimeout(() => reject(new Error(`${starts.length} started`)), waitMs).unref();
          it.onCommitted((events) => {
            for (const event of events) {
              if (event.type === 'attempt.claimed') starts.push(event.runId ?? '');
            }
            if (few !== '' && starts.filter((run) => run === few).length === 10) resolve();
          });
        });
        const { run: many = '' } = await create(it, 2_000, []);
        work(it, faults);
        const worker = await addWorker(it, project, 'w', 2);
        it.parkWorker(worker, project, 2);
        few = (await create(it, 10, [])).run ?? '';
        const begun = starts.length;
        await fewAreDone;
        const between = starts.slice(begun);
        expect(between.filter((run) => run === many).length).toBeLessThanOrEqual(20);
        expect(faults).toEqual([]);
      },
      msMax,
    );

    test(
      'what a rate holds back starts by itself when it is due',
      async () => {
        project = `prj_${randomUUID().slice(0, 8)}`;
        const it = await start();
        await setLimit(it, 'api', { rate_per_minute: 300 });
        const faults: unknown[] = [];
        const claimedAtMs: number[] = [];
        const done = new Promise<void>((resolve, reject) => {
          setTimeout(() => reject(new Error(`only ${claimedAtMs.length} started`)), waitMs).unref();
          it.onCommitted((events) => {
            for (const event of events) {
              if (event.type === 'attempt.claimed') claimedAtMs.push(event.atMs);
            }
            if (claimedAtMs.length === 5) resolve();
          });
        });
        work(it, faults);
        const worker = await addWorker(it, project, 'w', 10);
        it.parkWorker(worker, project, 10);
        await create(it, 5, ['api']);
        await done;
        const gaps = claimedAtMs.slice(1).map((atMs, at) => atMs - (claimedAtMs[at] ?? 0));
        for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(199);
        expect(faults).toEqual([]);
      },
      msMax,
    );
  });
}
