import { DEFAULTS, type Json, type ServerFrame } from '@baton/contract';
import type { Reply, StopOrder } from '@baton/kernel';
import type { App } from '../app.ts';
import type { WorkerPrincipal } from '../auth/principal.ts';
import { checkpointView } from '../views/checkpoint.ts';
import type { CountedFrame } from './frame-commands.ts';

/** Epochs of attempts that a worker holds. */
type Held = ReadonlyMap<string, number>;

/** What a worker is told of attempts whose process is not wanted any more; hearing it twice is harmless. */
export function stopFrames(orders: readonly StopOrder[], held: Held): readonly ServerFrame[] {
  return orders.flatMap(({ attempt, how, reason }): ServerFrame[] => {
    const epoch = held.get(attempt);
    if (epoch === undefined) return [];
    if (how === 'hold') return [{ type: 'hold', attempt, epoch, reason }];
    const grace = DEFAULTS.termToKillSeconds;
    const yields = how === 'yield';
    return [{ type: 'cancel', attempt, epoch, reason, grace_seconds: grace, yields }];
  });
}

/** Decisions and deliveries that came while the worker was away; hearing them twice is harmless. */
export async function missedFrames(
  { reads }: Pick<App, 'reads'>,
  worker: string,
  held: Held,
): Promise<readonly ServerFrame[]> {
  const attempts = [...held.keys()];
  const closed = attempts.length === 0 ? [] : await reads.closedCheckpointsOfAttempts(attempts);
  const decisions = closed.flatMap((read): ServerFrame[] => {
    const attempt = read.checkpoint.attemptId;
    if (attempt === null) return [];
    return [{ type: 'checkpoint_resolved', attempt, checkpoint: checkpointView(read) }];
  });
  const deliveries = (await reads.deliveriesOfWorker(worker)).flatMap((run): ServerFrame[] =>
    run.deliveryOrder === null ? [] : [{ type: 'deliver', order: run.deliveryOrder }],
  );
  return [...decisions, ...deliveries];
}

/** What the answer to a counted frame says beside that it was taken. */
export async function answerTo(
  { reads }: Pick<App, 'reads'>,
  worker: WorkerPrincipal,
  frame: CountedFrame,
  reply: Reply,
): Promise<Json> {
  const asks = frame.type === 'checkpoint_open' || frame.type === 'plan';
  if (asks && reply.checkpoint !== undefined) {
    const read = await reads.findCheckpoint(worker.project, reply.checkpoint);
    if (read === undefined) return null;
    return { ...checkpointView(read), yield: reply.yields === true } as Json;
  }
  return reply.already === true ? { already: true } : null;
}
