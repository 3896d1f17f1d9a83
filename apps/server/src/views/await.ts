import type { Action, TaskAwait } from '@baton/contract';
import type { ActionRow, AwaitRow } from '@baton/kernel';
import { publicTaskId } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';

/** An agent's await as clients see it. */
export function awaitView(it: AwaitRow): TaskAwait {
  return {
    id: it.id,
    task: publicTaskId(it.taskId),
    attempt: it.attemptId,
    tasks: it.tasks.map(publicTaskId),
    policy: it.policy,
    quorum: it.quorum,
    needed: it.needed,
    status: it.status,
    partial: it.partial,
    deadline_at: isoOf(it.deadlineAtMs),
    results: [...it.results],
    opened_at: isoOf(it.openedAtMs),
    closed_at: isoOrNull(it.closedAtMs),
  };
}

/** A line of the ledger as clients see it. */
export function actionView(it: ActionRow): Action {
  return {
    task: publicTaskId(it.taskId),
    attempt: it.attemptId,
    call: it.call,
    kind: it.kind,
    name: it.name,
    target: it.target,
    effect: it.effect,
    status: it.status,
    input_sha256: it.inputSha256,
    refs: { ...it.refs },
    started_at: isoOf(it.startedAtMs),
    ended_at: isoOrNull(it.endedAtMs),
  };
}
