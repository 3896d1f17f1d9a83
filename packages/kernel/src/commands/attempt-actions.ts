import type { CommandOf } from '@baton/contract';
import { fence } from '../attempt/fence.ts';
import { rows } from '../need.ts';
import type { ActionRow, AttemptRow } from '../rows.ts';

import type { Handler } from './handler.ts';

type Told = CommandOf<'attempt.actions'>['body']['actions'][number];

/**
 * What the agent did, for the ledger. A call is on it once, however often it is told: a second word on it
 * only ends what had started. No events: the ledger is read, not followed.
 */
export const attemptActions: Handler<'attempt.actions'> = (draft, command) => {
  const attempt = fence(draft, command, true);
  if ('refused' in attempt) return attempt;
  const idOf = ({ call }: Told): string => `${attempt.id}/${call}`;
  draft.load(rows('actions', command.body.actions.map(idOf)));
  for (const told of command.body.actions) {
    const before = draft.find('actions', idOf(told));
    if (before === null) {
      draft.put('actions', newAction(attempt, idOf(told), told, draft.nowMs));
    } else if (before.status === 'started' && told.status !== 'started') {
      draft.put('actions', { ...before, status: told.status, endedAtMs: draft.nowMs });
    }
  }
  return { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
};

function newAction(attempt: AttemptRow, id: string, told: Told, nowMs: number): ActionRow {
  return {
    id,
    projectId: attempt.projectId,
    runId: attempt.runId,
    taskId: attempt.taskId,
    attemptId: attempt.id,
    call: told.call,
    kind: told.kind,
    name: told.name,
    target: told.target,
    effect: told.effect,
    status: told.status,
    inputSha256: told.input_sha256 ?? null,
    refs: told.refs ?? {},
    startedAtMs: nowMs,
    endedAtMs: told.status === 'started' ? null : nowMs,
  };
}
