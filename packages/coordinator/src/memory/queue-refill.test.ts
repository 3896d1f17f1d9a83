import type { ReadyRow } from '@baton/kernel';
import { sampleRow } from '@baton/testkit';
import { expect, test, vi } from 'vitest';
import type { FeedState, PeekTx } from '../store/batch-store.ts';
import { decided } from '../testing/decided.ts';
import { createQueueRefill, seenMax } from './queue-refill.ts';
import { createReplicaMemory } from './replica-memory.ts';

const rows = Array.from({ length: seenMax }, (_, seq): ReadyRow =>
  sampleRow('ready', { taskId: `task_${seq}`, seq }),
);
const [{ projectId: project, needsId } = { projectId: '', needsId: '' }] = rows;
const end: FeedState = { nextPos: 2, incarnation: 1, mark: 'm' };

/** A store that shows the queue when the test lets it. */
function setUp() {
  const memory = createReplicaMemory(console);
  memory.learn(decided({ events: 1 }), end);
  memory.queue.found({ project, needsId }, rows.slice(0, 10), 10);
  let show: () => void = () => undefined;
  const shown = new Promise<void>((resolve) => (show = resolve));
  const peek = vi.fn<(look: (tx: PeekTx) => Promise<unknown>) => Promise<unknown>>(async (look) => {
    await shown;
    const tx = { feed: async () => end, candidates: async () => rows };
    return look(tx as unknown as PeekTx);
  });
  const refill = createQueueRefill({ store: { peek: peek as never }, memory, log: console });
  return { memory, peek, refill, show };
}

test('a queue of which little is left is read on, once at a time', async () => {
  const { memory, peek, refill, show } = setUp();
  refill();
  refill();
  expect(peek).toHaveBeenCalledTimes(1);
  show();
  await vi.waitFor(() =>
    expect(memory.queue.heads(project, needsId, seenMax)).toHaveLength(seenMax),
  );
  refill();
  expect(peek).toHaveBeenCalledTimes(1);
});

test('what was seen of a feed that ends elsewhere by now is not believed', async () => {
  const { memory, peek, refill, show } = setUp();
  refill();
  memory.learn(decided({ events: 1 }), { nextPos: 9, incarnation: 1, mark: 'other' });
  show();
  await peek.mock.results[0]?.value;
  expect(memory.queue.heads(project, needsId, 1)).toBeNull();
});
