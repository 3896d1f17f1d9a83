import {
  plan as planSchema,
  runCheckpointOpen,
  runCreate,
  type Actor,
  type AppError,
  type PlanInput,
} from '@baton/contract';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest';
import { createCoordinator, type CommittedEvent, type Coordinator } from './coordinator.ts';
import { addWorker } from './testing/add-worker.ts';
import { patient } from './testing/patient.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`coordinator on ${database.title}`, () => {
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

    /** A project of the test's own, so that tests do not meet in one database. */
    async function startAlone(): Promise<Coordinator> {
      project = `prj_${randomUUID().slice(0, 8)}`;
      return start();
    }

    const create = (it: Coordinator, plan: PlanInput, options = {}) =>
      it.submit(
        {
          type: 'run.create',
          project,
          actor,
          body: runCreate.parse({ goal: 'test', deliver: 'none', plan: planSchema.parse(plan) }),
        },
        options,
      );

    const flat = (count: number): PlanInput => ({
      tasks: Array.from({ length: count }, (_, index) => ({
        key: `t${index}`,
        kind: 'command' as const,
        spec: 'true',
      })),
    });

    /** Executes everything that is handed out; resolves when `count` tasks are done. */
    function executeAll(it: Coordinator, count: number): Promise<void> {
      const epochs = new Map<string, number>();
      let done = 0;
      return new Promise((resolve, reject) => {
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
              .then(() => {
                done += 1;
                if (done === count) resolve();
              })
              .catch(reject);
          }
        });
      });
    }

    test('of many decisions at once exactly one wins, and every loser is shown it', async () => {
      const one = await startAlone();
      const two = await start();
      for (let round = 0; round < 5; round += 1) {
        const { run = '' } = await create(one, flat(1));
        const { checkpoint = '' } = await one.submit({
          type: 'run.checkpoint',
          project,
          actor,
          run,
          body: runCheckpointOpen.parse({ question: 'Which?', options: ['a', 'b', 'c', 'd'] }),
        });
        const said = ['a', 'b', 'c', 'd'].map((option, at) => ({ option, by: at % 2 ? one : two }));
        const replies = await Promise.all(
          said.map(({ option, by }) =>
            by
              .submit({
                type: 'checkpoint.resolve',
                project,
                actor: { ...actor, name: option },
                checkpoint,
                body: { option },
                via: 'test',
              })
              .then(
                () => ({ option, refused: null }),
                (error: unknown) => ({ option, refused: error as AppError }),
              ),
          ),
        );
        const won = replies.filter((it) => it.refused === null);
        expect(won).toHaveLength(1);
        for (const { refused } of replies.filter((it) => it.refused !== null)) {
          expect(refused).toMatchObject({
            code: 'checkpoint_closed',
            publicDetail: { status: 'resolved', decision: won[0]?.option, by: won[0]?.option },
          });
        }
      }
    });

    test('a chain runs to its end, each task handed out in the commit that made it ready', async () => {
      const it = await startAlone();
      const batches: CommittedEvent[][] = [];
      it.onCommitted((events) => batches.push([...events]));
      const done = executeAll(it, 3);
      const worker = await addWorker(it, project, 'w', 2);
      it.parkWorker(worker, project, 2);
      const { run } = await create(it, {
        tasks: ['a', 'b', 'c'].map((key) => ({ key, kind: 'command' as const, spec: 'true' })),
        dependencies: [
          { upstream: 'a', downstream: 'b' },
          { upstream: 'b', downstream: 'c' },
        ],
      });
      await done;
      const all = batches.flat().filter((event) => event.runId === run);
      expect(all.map((event) => event.runSeq)).toEqual(all.map((_, index) => index + 1));
      expect(all.at(-1)?.type).toBe('run.completed');
      const handOff = batches.find(
        (events) => events.some((event) => event.type === 'task.completed') && events.length > 4,
      );
      expect(handOff?.map((event) => event.type)).toEqual([
        'attempt.succeeded',
        'task.completed',
        'dependency.resolved',
        'task.unblocked',
        'task.ready',
        'task.assigned',
        'attempt.claimed',
      ]);
    });

    test('a refused command leaves no event and does not hold up its neighbours', async () => {
      const it = await startAlone();
      const events: CommittedEvent[] = [];
      it.onCommitted((committed) => events.push(...committed));
      const [good, bad, alsoGood] = await Promise.allSettled([
        create(it, flat(1)),
        create(it, {
          tasks: [
            { key: 'a', spec: '' },
            { key: 'b', spec: '' },
          ],
          dependencies: [
            { upstream: 'a', downstream: 'b' },
            { upstream: 'b', downstream: 'a' },
          ],
        }),
        create(it, flat(1)),
      ]);
      expect(good.status).toBe('fulfilled');
      expect(alsoGood.status).toBe('fulfilled');
      expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'cycle' } });
      expect(events.filter((event) => event.type === 'run.created')).toHaveLength(2);
    });

    test('a command with an idempotency key takes effect once, whatever is sent again', async () => {
      const it = await startAlone();
      const key = { scope: project, key: 'k1', requestSha256: 'one' };
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => create(it, flat(1), { idempotency: key })),
      );
      const later = await create(it, flat(1), { idempotency: key });
      expect(new Set([...replies, later].map((reply) => reply.run)).size).toBe(1);
      await expect(
        create(it, flat(1), { idempotency: { ...key, requestSha256: 'two' } }),
      ).rejects.toMatchObject({ code: 'idempotency_conflict' });
    });

    test('many tasks on many workers: every task is claimed once and positions have no gap', async () => {
      const it = await startAlone();
      const events: CommittedEvent[] = [];
      it.onCommitted((committed) => events.push(...committed));
      const done = executeAll(it, 120);
      for (const name of ['w1', 'w2', 'w3']) {
        it.parkWorker(await addWorker(it, project, name, 5), project, 5);
      }
      await Promise.all(Array.from({ length: 6 }, () => create(it, flat(20))));
      await done;
      const claimed = events.filter((event) => event.type === 'attempt.claimed');
      expect(new Set(claimed.map((event) => event.taskId)).size).toBe(120);
      expect(claimed).toHaveLength(120);
      const first = events[0]?.pos ?? 0;
      expect(events.map((event) => event.pos)).toEqual(events.map((_, index) => first + index));
    });

    test('no worker gets more than its slots', async () => {
      const it = await startAlone();
      const worker = await addWorker(it, project, 'small', 3);
      const assigned: string[] = [];
      const first = new Promise<void>((resolve) => {
        it.onAssigned((news) => {
          assigned.push(...news.attempts);
          resolve();
        });
      });
      it.parkWorker(worker, project, 50);
      await create(it, flat(10));
      await first;
      // Another commit, in which nothing more may be handed out.
      await create(it, flat(1));
      expect(assigned).toHaveLength(3);
    });

    test('an output is held against its schema before it is accepted', async () => {
      const it = await startAlone();
      const worker = await addWorker(it, project, 'w', 1);
      const got = new Promise<string>((resolve) => {
        it.onAssigned((news) => resolve(news.attempts[0] ?? ''));
      });
      it.parkWorker(worker, project, 1);
      await create(it, {
        tasks: [
          {
            key: 'a',
            kind: 'command',
            spec: '',
            outputs: [{ key: 'n', schema: { type: 'integer' } }],
          },
        ],
      });
      const attempt = await got;
      const epoch = (await it.assignmentOf(attempt))?.attempt.epoch ?? -1;
      const base = { project, actor, attempt, worker } as const;
      await it.submit({ ...base, type: 'attempt.start', body: { epoch } });
      const set = (data: string | number) =>
        it.submit({ ...base, type: 'attempt.output', body: { epoch, key: 'n', data } });
      await expect(set('three')).rejects.toMatchObject({
        code: 'contract_violation',
        message: expect.stringContaining('must be integer') as string,
      });
      await expect(
        it.submit({
          ...base,
          type: 'attempt.complete',
          body: { epoch, result: { status: 'success', summary: '' } },
        }),
      ).rejects.toMatchObject({ code: 'contract_violation' });
      await set(3);
      await expect(
        it.submit({
          ...base,
          type: 'attempt.output',
          body: { epoch: epoch + 1, key: 'n', data: 3 },
        }),
      ).rejects.toMatchObject({ code: 'stale_epoch' });
      await it.submit({
        ...base,
        type: 'attempt.complete',
        body: { epoch, result: { status: 'success', summary: '' } },
      });
    });

    test('a coordinator that starts on the same database goes on where the last one stopped', async () => {
      const before = await startAlone();
      const worker = await addWorker(before, project, 'w', 1);
      await create(before, flat(2));
      await before.stop();
      const after = await start();
      const done = executeAll(after, 2);
      after.parkWorker(worker, project, 1);
      await done;
    });

    // The embedded database has one owner.
    if (database.name === 'postgres') {
      test('two coordinators on one database hand no task out twice', async () => {
        const one = await startAlone();
        const two = await start();
        // By position: each is told what both commit.
        const events = new Map<number, CommittedEvent>();
        const half = 40;
        const all = new Promise<void>((resolve) => {
          const keep = (committed: readonly CommittedEvent[]) => {
            for (const event of committed) events.set(event.pos, event);
            const ended = [...events.values()].filter((event) => event.type === 'task.completed');
            if (ended.length === 2 * half) resolve();
          };
          one.onCommitted(keep);
          two.onCommitted(keep);
        });
        const executed = Promise.race([one, two].map((it) => executeAll(it, -1)));
        // Never resolves; what fails in it is told below.
        executed.catch(() => undefined);
        one.parkWorker(await addWorker(one, project, 'a', 4), project, 4);
        two.parkWorker(await addWorker(two, project, 'b', 4), project, 4);
        await Promise.all([
          ...Array.from({ length: half }, () => create(one, flat(1))),
          ...Array.from({ length: half }, () => create(two, flat(1))),
        ]);
        const kicks = setInterval(() => {
          one.parkWorker('wrk_none', project, 0);
          two.parkWorker('wrk_none', project, 0);
        }, 50);
        await Promise.race([all, executed]).finally(() => clearInterval(kicks));
        const claims = [...events.values()].filter((event) => event.type === 'attempt.claimed');
        expect(new Set(claims.map((event) => event.taskId)).size).toBe(2 * half);
        expect(claims).toHaveLength(2 * half);
        const positions = [...events.keys()].toSorted((a, b) => a - b);
        expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index));
      });
    }
  });
}
