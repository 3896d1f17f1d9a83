import { DEFAULTS, deliveryOrder, type ServerFrame } from '@baton/contract';
import type { CommittedEvent } from '@baton/coordinator';

/** Who is to be told: a worker, by id or by name, or whoever holds an attempt. */
export type Addressee =
  | { readonly by: 'id'; readonly worker: string }
  | { readonly by: 'name'; readonly project: string; readonly name: string }
  | { readonly by: 'attempt'; readonly attempt: string };

/** What they are told. Some frames need more than the event says; `link-server` reads it. */
export type Push = { readonly to: Addressee; readonly attempt: string } & (
  | { readonly kind: 'frame'; readonly frame: ServerFrame }
  | {
      readonly kind: 'cancel';
      readonly reason: string;
      readonly graceSeconds: number;
      /** Its task goes on later: what it did is kept, and its end is no failure. */
      readonly yields: boolean;
    }
  | { readonly kind: 'decision' }
  /** It was given work at another replica. */
  | { readonly kind: 'assign' }
  /** A worker of this name was removed. */
  | { readonly kind: 'removed' }
);

/** What the worker concerned is told of an event; undefined for the many that are not for workers. */
export function pushOf(event: CommittedEvent): Push | undefined {
  const { data, type, projectId: project } = event;
  const attempt = event.attemptId ?? '';
  const worker = textOf(data['worker']);
  const to: Addressee = worker === undefined ? { by: 'attempt', attempt } : { by: 'id', worker };
  switch (type) {
    case 'attempt.claimed':
      // What is claimed here is sent with its claim.
      return event.isOwn || worker === undefined ? undefined : { kind: 'assign', to, attempt };
    case 'worker.removed':
      return {
        kind: 'removed',
        to: { by: 'name', project, name: textOf(data['name']) ?? '' },
        attempt,
      };
    case 'attempt.stopping':
      return {
        kind: 'cancel',
        to,
        attempt,
        reason: textOf(data['reason']) ?? 'stopped',
        graceSeconds:
          typeof data['grace_seconds'] === 'number'
            ? data['grace_seconds']
            : DEFAULTS.termToKillSeconds,
        yields: data['yields'] === true,
      };
    case 'checkpoint.resolved':
    case 'checkpoint.timed_out':
      return worker === undefined ? undefined : { kind: 'decision', to, attempt };
    case 'task.note_added': {
      if (worker === undefined || attempt === '') return undefined;
      const frame: ServerFrame = {
        type: 'message',
        attempt,
        author: textOf(data['author']) ?? '',
        text: textOf(data['text']) ?? '',
        urgent: data['urgent'] === true,
      };
      return { kind: 'frame', to, attempt, frame };
    }
    case 'task.updated': {
      if (worker === undefined || attempt === '') return undefined;
      const fields = Array.isArray(data['fields']) ? data['fields'].map(String) : [];
      return { kind: 'frame', to, attempt, frame: { type: 'task_updated', attempt, fields } };
    }
    case 'run.delivering': {
      const order = deliveryOrder.safeParse(data['order']);
      if (worker === undefined || !order.success) return undefined;
      return { kind: 'frame', to, attempt, frame: { type: 'deliver', order: order.data } };
    }
    case 'attempt.lost':
    case 'attempt.timed_out':
    case 'attempt.cancelled':
      return {
        kind: 'frame',
        to: { by: 'attempt', attempt },
        attempt,
        frame: { type: 'stale', attempts: [attempt] },
      };
    case 'attempt.released':
      // Of one that was held; who hands an attempt back knows.
      if (worker === undefined) return undefined;
      return { kind: 'frame', to, attempt, frame: { type: 'stale', attempts: [attempt] } };
    case 'worker.draining':
    case 'worker.undrained':
      return {
        kind: 'frame',
        to: { by: 'name', project, name: textOf(data['name']) ?? '' },
        attempt,
        frame: { type: 'drain', draining: type === 'worker.draining' },
      };
    default:
      return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
