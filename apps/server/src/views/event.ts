import type { Event, Json } from '@baton/contract';
import type { EventRead } from '@baton/store';
import { publicTaskIdOrNull } from './ids.ts';
import { isoOf } from './instant.ts';

/** An event as clients see it. */
export function eventView({ pos, event }: EventRead, incarnation: number): Event {
  return {
    cursor: `${incarnation}.${pos}`,
    pos,
    run_seq: event.runSeq,
    project: event.projectId,
    run: event.runId,
    task: publicTaskIdOrNull(event.taskId),
    attempt: event.attemptId,
    type: event.type,
    actor: event.actor,
    cause: event.cause,
    at: isoOf(event.atMs),
    data: withPublicIds(event.data),
  };
}

const taskFields: ReadonlySet<string> = new Set(['upstream', 'downstream', 'task']);

/** Data is JSON by construction; ids of tasks in it are shown as clients know them. */
function withPublicIds(data: Readonly<Record<string, unknown>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      taskFields.has(key) && typeof value === 'string'
        ? (publicTaskIdOrNull(value) ?? value)
        : (value as Json),
    ]),
  );
}
