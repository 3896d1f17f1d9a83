import type { EventPlace } from '@baton/store';
import { placed, type BatchResult, type UnknownCommit } from './batch-result.ts';
import type { BatchPorts } from './open-batch.ts';

const pauseMs = 200;
const triesMax = 100;

type Ports = Pick<BatchPorts, 'store' | 'runtime'>;

/**
 * What became of a batch whose COMMIT was not answered: asked of the database, never guessed.
 * `unknown` when the database cannot tell (no transaction id, or it stays away).
 */
export async function resolveCommit(
  ports: Ports,
  lost: UnknownCommit,
): Promise<BatchResult | 'aborted' | 'unknown'> {
  const { xid, done } = lost;
  if (xid === undefined) return 'unknown';
  for (let tries = 0; tries < triesMax; tries++) {
    const outcome = await ports.store.outcomeOf(xid).catch(() => 'in_progress' as const);
    if (outcome === 'aborted') return 'aborted';
    if (outcome === 'committed') return placed(done, await findPlace(ports, done.events));
    await ports.runtime.sleep(pauseMs);
  }
  return 'unknown';
}

/**
 * Where the first of these events stands, by one that has a number in its run. Undefined when none has:
 * then they are not told from here, and who follows the feed reads them from the database.
 */
async function findPlace(
  { store, runtime }: Ports,
  events: BatchResult['events'],
): Promise<EventPlace | undefined> {
  const index = events.findIndex((event) => event.runId !== null);
  const event = events[index];
  if (event === undefined || event.runId === null || event.runSeq === null) return undefined;
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      const place = await store.findEventPlace(event.runId, event.runSeq);
      return place === undefined ? undefined : { ...place, pos: place.pos - index };
    } catch {
      await runtime.sleep(pauseMs);
    }
  }
  return undefined;
}
