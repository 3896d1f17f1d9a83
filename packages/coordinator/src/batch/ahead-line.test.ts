import type { Actor, AppError, Command } from '@baton/contract';
import type { NewEvent, Reply, WorkerRow } from '@baton/kernel';
import { StoreError } from '@baton/store';
import { sampleRow } from '@baton/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { createClock } from '../clock.ts';
import { createCatalogue } from '../dispatch/catalogue.ts';
import { createReplicaMemory, type ReplicaMemory } from '../memory/replica-memory.ts';
import { processRuntime } from '../runtime.ts';
import type { BatchStore, BatchWrites, FeedState, Placed, Premises } from '../store/batch-store.ts';
import type { ServiceStore } from '../store/coordinator-store.ts';
import { decided } from '../testing/decided.ts';
import { createVerdicts } from '../validation/verdicts.ts';
import { createAheadLine, type AheadLine, type Taken } from './ahead-line.ts';
import type { BatchPorts } from './open-batch.ts';
import type { IdempotencyRequest, Pending } from './pending.ts';

const actor: Actor = { kind: 'user', id: 'usr_1', name: 'tester' };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const workers = ['wrk_1', 'wrk_2', 'wrk_3'].map((id): WorkerRow =>
  sampleRow('workers', { id, presence: 'online', incarnation: 'start_1' }),
);
const begin: FeedState = { nextPos: 100, incarnation: 1, mark: 'mark_begin' };
const unknown = () => new StoreError('unknown_outcome', 'the connection was lost');
const retryable = () => new StoreError('retryable', 'a premise does not hold');

/** A batch that the store was given, to be answered by the test. */
interface Given {
  readonly premises: Premises;
  readonly writes: BatchWrites;
  /** It was committed, and is answered. */
  readonly commit: () => void;
  readonly fail: (error: StoreError) => void;
}

describe('batches that are decided ahead', () => {
  let memory: ReplicaMemory;
  let line: AheadLine;
  let given: Given[];
  /** What happened, in order. */
  let told: string[];
  /** The feed as the store has it. */
  let stored: NewEvent[];
  let fences: (() => Promise<FeedState>)[];
  let monotonicMs: number;

  beforeEach(() => {
    given = [];
    told = [];
    stored = [];
    fences = [];
    monotonicMs = 0;
    const store = {
      write: (premises: Premises, writes: BatchWrites) =>
        new Promise<Placed>((resolve, reject) => {
          const { nextPos, incarnation } = premises.feed;
          const { events, mark } = writes;
          const feed = { nextPos: nextPos + events.length, incarnation, mark };
          given.push({
            premises,
            writes,
            commit: () => resolve({ pos: nextPos, atMs: writes.nowMs, feed }),
            fail: reject,
          });
        }),
      fence: () => fences.shift()?.() ?? Promise.reject(unknown()),
      readEvents: (from: number, count: number) => {
        const at = from - begin.nextPos;
        return Promise.resolve(stored.slice(at, at + count));
      },
    };
    memory = createReplicaMemory(console);
    memory.learn(decided({ events: 1 }), { ...begin, nextPos: 99, mark: 'mark_before' });
    const seen = decided({
      events: 1,
      workers: new Map(workers.map((it) => [it.id, 0])),
      load(world) {
        for (const it of workers) world.putLoaded('workers', it.id, it);
      },
    });
    memory.learn(seen, begin);
    const clock = createClock(
      () => monotonicMs,
      () => monotonicMs,
    );
    clock.observe(5_000);
    const ports: BatchPorts = {
      store: store as unknown as BatchStore,
      runtime: { ...processRuntime, sleep: () => Promise.resolve() },
      verdicts: createVerdicts({ validate: () => Promise.reject(new Error('not asked')) } as never),
      catalogue: createCatalogue({} as ServiceStore, ['shell']),
      memory,
      clock,
      incarnation: 1,
      timing: { silentMs: 1, offlineMs: 1, heartbeatMs: 1 },
    };
    line = createAheadLine({
      ports,
      log: quiet,
      decided: ({ events }) => told.push(`decided ${events.length}`),
      finish(items, { outcomes, firstPos }) {
        told.push(`finish ${firstPos}`);
        items.forEach((it, at) => {
          const outcome = outcomes[at];
          if (outcome !== undefined) it.settle(outcome);
        });
      },
      unknown: (items) => told.push(`unknown ${items.length}`),
      failed: ({ events }) => told.push(`failed ${events.length}`),
    });
  });

  const leaving = (worker: string): Command => ({
    type: 'worker.leaving',
    project: 'prj_1',
    actor,
    worker,
  });
  const takenOf = (
    commands: readonly Command[],
    idempotency?: IdempotencyRequest,
  ): Taken & { readonly answers: (Reply | AppError)[] } => {
    const answers: (Reply | AppError)[] = [];
    const items = commands.map((command): Pending => ({
      command,
      idempotency,
      bytes: 1,
      settle: (outcome) => answers.push(outcome.kind === 'done' ? outcome.reply : outcome.error),
    }));
    return { items, targets: [], answers };
  };
  const send = (worker: string): Promise<boolean> => line.send(takenOf([leaving(worker)]));
  const at = (index: number): Given => {
    const it = given[index];
    if (it === undefined) throw new Error(`${given.length} batches were given`);
    return it;
  };
  const eventsOf = (index: number): NewEvent[] =>
    at(index).writes.events.map((it) => ({ ...it, atMs: 5_000 }));

  test('the second is decided on what the first leaves behind, and given before that is answered', async () => {
    const taken = takenOf([leaving('wrk_1')]);
    expect([await line.send(taken), await send('wrk_2')]).toEqual([true, true]);
    expect(at(0).premises.feed).toEqual(begin);
    const after = { nextPos: 101, incarnation: 1, mark: at(0).writes.mark };
    expect(at(1).premises.feed).toEqual(after);
    expect(taken.answers).toEqual([]);
    at(0).commit();
    at(1).commit();
    await line.idle();
    expect(told).toEqual(['decided 1', 'decided 1', 'finish 100', 'finish 101']);
    expect(taken.answers).toEqual([{ worker: 'wrk_1' }]);
  });

  test('who is answered early by the store waits for those before it', async () => {
    await send('wrk_1');
    await send('wrk_2');
    at(1).commit();
    await processRuntime.turn();
    expect(told).toEqual(['decided 1', 'decided 1']);
    at(0).commit();
    await line.idle();
    expect(told.slice(2)).toEqual(['finish 100', 'finish 101']);
  });

  test('there is room for two, and for one more when the first is over', async () => {
    await send('wrk_1');
    await line.room();
    await send('wrk_2');
    let hasRoom = false;
    const room = line.room().then(() => (hasRoom = true));
    await processRuntime.turn();
    expect(hasRoom).toBe(false);
    at(0).commit();
    await room;
    at(1).commit();
    await line.idle();
  });

  test('a change of the first is a premise of the second, counted', async () => {
    await send('wrk_1');
    const gone: Command = {
      type: 'worker.gone',
      project: 'prj_1',
      actor,
      worker: 'wrk_1',
      incarnation: 'start_1',
    };
    await line.send(takenOf([gone]));
    expect(at(0).premises.workers).toEqual(new Map([['wrk_1', 0]]));
    expect(at(1).premises.workers).toEqual(new Map([['wrk_1', 1]]));
    at(0).commit();
    at(1).commit();
    await line.idle();
  });

  test('when the first fails both run again, in order, and nothing is sent before that', async () => {
    const [one, two] = [takenOf([leaving('wrk_1')]), takenOf([leaving('wrk_2')])];
    await line.send(one);
    await line.send(two);
    at(0).fail(retryable());
    at(1).fail(retryable());
    await line.idle();
    expect([line.hasFailed, memory.feed, memory.worker('wrk_3')]).toEqual([
      true,
      undefined,
      undefined,
    ]);
    expect(await send('wrk_3')).toBe(false);
    expect(line.takeFailed().map((it) => it.items)).toEqual([one.items, two.items]);
    expect([line.hasFailed, line.takeFailed()]).toEqual([false, []]);
    expect([one.answers, two.answers]).toEqual([[], []]);
    expect(told).toEqual(['decided 1', 'decided 1', 'failed 1', 'failed 1']);
  });

  test('a value that the store refuses fails the batch once, to be run by the store', async () => {
    await send('wrk_1');
    at(0).fail(new StoreError('data', 'not a value'));
    await line.idle();
    expect([line.takeFailed().length, given.length]).toEqual([1, 1]);
  });

  test('an unknown outcome is found done: fenced, looked up, answered with its place', async () => {
    const taken = takenOf([leaving('wrk_1')]);
    await line.send(taken);
    fences.push(
      () => Promise.reject(new StoreError('unavailable', 'not yet')),
      () => Promise.reject(unknown()),
      () => {
        const own = eventsOf(0);
        stored = [...own, ...own.map((it): NewEvent => ({ ...it, type: 'worker.removed' }))];
        return Promise.resolve({ nextPos: 102, incarnation: 1, mark: 'mark_fence' });
      },
    );
    at(0).fail(unknown());
    await line.idle();
    expect(told).toEqual(['decided 1', 'finish 100']);
    expect(taken.answers).toEqual([{ worker: 'wrk_1' }]);
    // What the fence has changed is not known.
    expect(memory.feed).toBeUndefined();
  });

  test('an unknown outcome is found undone: the feed ends where it did', async () => {
    await send('wrk_1');
    fences.push(() => Promise.resolve({ ...begin, mark: 'mark_fence' }));
    at(0).fail(unknown());
    await line.idle();
    expect(told).toEqual(['decided 1', 'failed 1']);
  });

  const others: readonly (readonly [string, Partial<NewEvent>])[] = [
    ['another person', { actor: { ...actor, id: 'usr_2' } }],
    ['another command', { cause: 'worker.hello' }],
    ['another worker', { data: { name: 'other', fields: ['leaving'] } }],
    ['another project', { projectId: 'prj_2' }],
    ['another kind', { type: 'worker.draining' }],
    ['an earlier time', { atMs: 4_999 }],
  ];
  test.each(others)('an event of %s at its place is not its own', async (_, other) => {
    await send('wrk_1');
    stored = eventsOf(0).map((it) => ({ ...it, ...other }));
    fences.push(() => Promise.resolve({ nextPos: 101, incarnation: 1, mark: 'mark_fence' }));
    at(0).fail(unknown());
    await line.idle();
    expect(told).toEqual(['decided 1', 'failed 1']);
  });

  test('when it cannot be found out, that is said', async () => {
    await send('wrk_1');
    at(0).fail(unknown());
    await line.idle();
    expect(told).toEqual(['decided 1', 'unknown 1']);
    expect([line.hasFailed, memory.feed]).toEqual([false, undefined]);
  });

  test('the first found done, the second undone: one is answered, the other runs again', async () => {
    await send('wrk_1');
    await send('wrk_2');
    stored = eventsOf(0);
    const end = { nextPos: 101, incarnation: 1, mark: 'mark_fence' };
    fences.push(
      () => Promise.resolve(end),
      () => Promise.resolve(end),
    );
    at(0).fail(unknown());
    at(1).fail(unknown());
    await line.idle();
    expect(told.slice(2)).toEqual(['finish 100', 'failed 1']);
  });

  test.each<[string, Command]>([
    ['a refusal', leaving('wrk_none')],
    ['a refusal of a known worker', { ...leaving('wrk_1'), project: 'prj_2' } as Command],
  ])('%s alone is for the store to give', async (_, command) => {
    expect(await line.send(takenOf([command]))).toBe(false);
    expect(given).toEqual([]);
  });

  test('that nothing changes is for the store to say, unless something beside it is checked', async () => {
    await send('wrk_1');
    expect(await send('wrk_1')).toBe(false);
    const both = takenOf([leaving('wrk_1'), leaving('wrk_2')]);
    expect(await line.send(both)).toBe(true);
    expect([...at(1).premises.workers.keys()]).toEqual(['wrk_1', 'wrk_2']);
    at(0).commit();
    expect(both.answers).toEqual([]);
    at(1).commit();
    await line.idle();
    expect(both.answers).toEqual([{ worker: 'wrk_1', already: true }, { worker: 'wrk_2' }]);
  });

  test('a refusal under a key is for the store to give: it may have been answered before', async () => {
    const key: IdempotencyRequest = { scope: 's', key: 'k', requestSha256: 'h' };
    const refused = { ...leaving('wrk_1'), project: 'prj_2' } as Command;
    const [asked] = takenOf([refused], key).items;
    const [beside] = takenOf([leaving('wrk_2')]).items;
    const items = [asked, beside].filter((it) => it !== undefined);
    expect(await line.send({ items, targets: [] })).toBe(false);
    // What is decided under a key is stored with it, and fails where it is stored already.
    expect(await line.send(takenOf([leaving('wrk_2')], key))).toBe(true);
    expect(at(0).writes.idempotent).toEqual([{ ...key, reply: { worker: 'wrk_2' } }]);
    at(0).commit();
    await line.idle();
  });

  test('the clock of the store is asked again after some seconds', async () => {
    monotonicMs = 4_999;
    expect(await send('wrk_1')).toBe(true);
    monotonicMs = 5_000;
    expect(await send('wrk_2')).toBe(false);
    expect(at(0).writes.nowMs).toBe(9_999);
    at(0).commit();
    await line.idle();
  });
});
