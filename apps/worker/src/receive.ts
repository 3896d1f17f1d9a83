import type { ServerFrame } from '@baton/contract';
import type { Gate } from './admission.ts';
import type { AttemptSet } from './attempts/attempt-set.ts';
import type { createDeliveries } from './deliveries.ts';
import type { Link } from './link/link.ts';
import type { Log } from './log.ts';

/** Who acts on frames. */
export interface Receiver {
  readonly attempts: AttemptSet;
  readonly deliveries: ReturnType<typeof createDeliveries>;
  readonly link: Link;
  readonly log: Log;
  readonly gate: Gate;
}

/** What is done about each frame of the control plane. */
export function createReceiver(it: Receiver): (frame: ServerFrame) => void {
  const { attempts, link, log } = it;
  return (frame) => {
    switch (frame.type) {
      case 'welcome':
        it.gate.say();
        for (const id of frame.stop) attempts.find(id)?.abandon('stale_epoch');
        attempts.reconnected();
        return;
      case 'assign': {
        const { attempt } = frame.assignment;
        if (!it.gate.isShut) return attempts.take(frame.assignment);
        const body = { epoch: attempt.epoch, reason: 'the worker takes no more work' };
        link.request({ type: 'release', attempt: attempt.id, body }).catch(() => undefined);
        return;
      }
      case 'cancel': {
        const { attempt, epoch, reason } = frame;
        const runner = attempts.find(attempt);
        const graceMs = frame.grace_seconds * 1_000;
        if (runner !== undefined) {
          return frame.yields ? runner.yield(reason, graceMs) : runner.cancel(reason, graceMs);
        }
        // It never came here, or is over: that nothing runs is all there is to wait for.
        const body = { epoch, reason, failure_class: 'cancelled' } as const;
        link.request({ type: 'fail', attempt, body }).catch(() => undefined);
        return;
      }
      case 'hold':
        attempts.find(frame.attempt)?.hold(frame.reason);
        return;
      case 'stale':
        for (const id of frame.attempts) attempts.find(id)?.abandon('stale_epoch');
        return;
      case 'log_ack':
        attempts.find(frame.attempt)?.acknowledged(frame);
        return;
      case 'checkpoint_resolved':
        attempts.find(frame.attempt)?.decided(frame.checkpoint);
        return;
      case 'message': {
        const { author, text, urgent } = frame;
        attempts.find(frame.attempt)?.noted({ author, text, urgent });
        return;
      }
      case 'deliver':
        it.deliveries.take(frame.order);
        return;
      case 'bye':
        log[frame.reconnect ? 'info' : 'error'](
          { reason: frame.reason },
          'the control plane says goodbye',
        );
        return;
      case 'task_updated':
        attempts.updated(frame.attempt, frame.fields);
        return;
      case 'drain':
      case 'ack':
        // Who is given work is the control plane's own decision.
        return;
    }
  };
}
