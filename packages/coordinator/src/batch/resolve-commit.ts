import type { BatchPorts, BatchResult, UnknownCommit } from './execute-batch.ts';

const pauseMs = 200;
const triesMax = 100;

/**
 * What became of a batch whose COMMIT was not answered: asked of the database, never guessed.
 * `unknown` when the database cannot tell (no transaction id, or it stays away).
 */
export async function resolveCommit(
  { store, runtime }: Pick<BatchPorts, 'store' | 'runtime'>,
  lost: UnknownCommit,
): Promise<BatchResult | 'aborted' | 'unknown'> {
  if (lost.xid === undefined) return 'unknown';
  for (let tries = 0; tries < triesMax; tries++) {
    const outcome = await store.outcomeOf(lost.xid).catch(() => 'in_progress' as const);
    if (outcome === 'aborted') return 'aborted';
    if (outcome === 'committed') return { ...lost.done, firstPos: await firstPosOf(store, lost) };
    await runtime.sleep(pauseMs);
  }
  return 'unknown';
}

async function firstPosOf(store: BatchPorts['store'], lost: UnknownCommit): Promise<number> {
  const place = lost.done.events.findIndex((event) => event.runId !== null);
  const event = lost.done.events[place];
  if (event === undefined || event.runId === null || event.runSeq === null) return 0;
  const pos = await store.findEventPos(event.runId, event.runSeq);
  return pos === undefined ? 0 : pos - place;
}
