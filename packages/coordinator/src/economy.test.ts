// What a lifecycle costs, by count: round trips, rows, events. Time is measured in bench/.
import { plan as planSchema, runCreate, type Actor } from '@baton/contract';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assembleCoordinator, type Coordinator } from './coordinator.ts';
import { processRuntime } from './runtime.ts';
import type { BatchTx, BatchWrites } from './store/batch-store.ts';
import type { CoordinatorStore } from './store/coordinator-store.ts';
import { createSqlStore } from './store/sql-store.ts';
import { addWorker } from './testing/add-worker.ts';
import { patient } from './testing/patient.ts';
import { createSchemaValidator } from './validation/schema-validator.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const project = 'prj_economy';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

interface Cost {
  /** Times the batch waited for the database: calls made while others are under way travel with them. */
  roundTrips: number;
  rows: readonly string[];
  events: number;
}

/** The store, telling of each transaction that wrote something what it cost. */
function counted(store: CoordinatorStore, tell: (cost: Cost) => void): CoordinatorStore {
  return {
    ...store,
    transaction: (work) =>
      store.transaction((tx) => {
        const cost: Cost = { roundTrips: 0, rows: [], events: 0 };
        let underWay = 0;
        const wait = async <T>(call: Promise<T>): Promise<T> => {
          if (underWay === 0) cost.roundTrips += 1;
          underWay += 1;
          try {
            return await call;
          } finally {
            underWay -= 1;
          }
        };
        const spy: BatchTx = {
          open: (...args) => wait(tx.open(...args)),
          lockRuns: (...args) => wait(tx.lockRuns(...args)),
          lockCandidates: (...args) => wait(tx.lockCandidates(...args)),
          seeQueue: (...args) => wait(tx.seeQueue(...args)),
          lockRisen: (...args) => wait(tx.lockRisen(...args)),
          lockFreeSlots: (...args) => wait(tx.lockFreeSlots(...args)),
          loadRows: (...args) => wait(tx.loadRows(...args)),
          loadList: (...args) => wait(tx.loadList(...args)),
          loadSlots: (...args) => wait(tx.loadSlots(...args)),
          rollback: () => tx.rollback(),
          async commit(writes) {
            const place = await wait(tx.commit(writes));
            tell({ ...cost, ...left(writes) });
            return place;
          },
        };
        return work(spy);
      }),
    async write(premises, writes) {
      const place = await store.write(premises, writes);
      tell({ roundTrips: 1, ...left(writes) });
      return place;
    },
  };
}

/** What a batch leaves behind. */
function left({ rows, events }: BatchWrites): Pick<Cost, 'rows' | 'events'> {
  const written = rows.map(({ table, row, original }) => {
    const kind = original === null ? '+' : row === null ? '-' : '~';
    return `${kind}${table}`;
  });
  return { rows: written.toSorted(), events: events.length };
}

const pglite = freshDatabases().find((it) => it.name === 'pglite');
let opened: OpenDatabase;
let it: Coordinator;
let costs: Cost[] = [];

beforeAll(async () => {
  if (pglite === undefined) throw new Error('no embedded database');
  opened = await pglite.open();
  const store = counted(createSqlStore(opened.db), (cost) => costs.push(cost));
  it = assembleCoordinator(
    { store, runtime: processRuntime, validator: createSchemaValidator() },
    { log: quiet, engines: ['shell'], ...patient },
  );
  await it.start();
});
afterAll(async () => {
  await it?.stop();
  await opened?.close();
});

test('on an idle system a task is created and handed out in one commit, and each commit of its life takes one round trip', async () => {
  const worker = await addWorker(it, project, 'hand', 8);
  await lifecycle(worker);
  costs = [];
  await lifecycle(worker);
  expect(costs).toEqual([
    {
      roundTrips: 1,
      rows: ['+attempts', '+runs', '+taskSpecs', '+tasks', '~workers'],
      events: 6,
    },
    { roundTrips: 1, rows: ['~attempts', '~runs', '~tasks'], events: 2 },
    { roundTrips: 1, rows: ['~attempts', '~runs', '~tasks'], events: 3 },
  ]);
});

/** One task through its life; each command is answered before the next is sent. */
async function lifecycle(worker: string): Promise<void> {
  let epoch = 0;
  const stop = it.onCommitted((events) => {
    for (const { type, data } of events)
      if (type === 'attempt.claimed') epoch = Number(data['epoch']);
  });
  const handed = new Promise<string>((resolve) => {
    const off = it.onAssigned(({ attempts }) => {
      off();
      resolve(attempts[0] ?? '');
    });
  });
  it.parkWorker(worker, project, 1);
  await idle();
  await it.submit({
    type: 'run.create',
    project,
    actor,
    body: runCreate.parse({
      goal: 'cheap',
      deliver: 'none',
      plan: planSchema.parse({ tasks: [{ key: 'one', kind: 'command', spec: 'true' }] }),
    }),
  });
  const attempt = await handed;
  it.unparkWorker(worker);
  const base = { project, actor, attempt, worker } as const;
  await it.submit({ ...base, type: 'attempt.start', body: { epoch } });
  await it.submit({
    ...base,
    type: 'attempt.complete',
    body: { epoch, result: { status: 'success', summary: '' } },
  });
  stop();
}

/** The search that a parked worker begins with has found nothing. */
async function idle(): Promise<void> {
  await it.submit({ type: 'joinToken.create', project, actor, ...joinToken() });
  costs = costs.slice(0, -1);
}

function joinToken() {
  return {
    id: `jtk_${randomUUID()}`,
    tokenHash: randomUUID(),
    expiresAtMs: it.nowMs() + 60_000,
    body: { labels: {}, max_uses: 1, ephemeral: false },
  };
}
