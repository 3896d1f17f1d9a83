import { isOpenAttempt, type Command } from '@baton/contract';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { stableJson } from '../json-text.ts';
import { row } from '../need.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow } from '../rows.ts';
import { closeStopped, keepOrphan, type Ending } from './close-attempt.ts';
import { findAttempt, staleEpoch } from './fence.ts';

type ReportCommand = Extract<
  Command,
  { readonly type: 'attempt.complete' | 'attempt.fail' | 'attempt.release' }
>;

/** A report on an attempt that is open: to be acted on. */
interface Fresh {
  readonly attempt: AttemptRow;
  readonly reportSha256: string;
}

/**
 * Takes in a final report. A repeated one gets its first answer, another one on a closed attempt is a
 * conflict, and one of a stopping attempt closes it as what it was stopped for.
 */
export function takeReport(
  draft: Draft,
  command: ReportCommand,
  ending: Ending,
): Fresh | { readonly answered: Reply } | Refused {
  const attempt = findAttempt(draft, command);
  if ('refused' in attempt) return attempt;
  const { epoch, ...said } = command.body;
  const reportSha256 = draft.context.sha256(stableJson([command.type, said]));
  const reply = { attempt: attempt.id, task: attempt.taskId, run: attempt.runId };
  if (epoch !== attempt.epoch) return staleEpoch(draft, attempt, epoch);
  if (isOpenAttempt(attempt.status)) {
    const isCurrent = draft.get('tasks', attempt.taskId).epoch === epoch;
    return isCurrent ? { attempt, reportSha256 } : staleEpoch(draft, attempt, epoch);
  }
  if (attempt.status === 'stopping') {
    closeStopped(draft, attempt.id, { ...ending, reportSha256 });
    return { answered: reply };
  }
  if (attempt.reportSha256 === null) {
    const stale = staleEpoch(draft, attempt, epoch);
    if (ending.result === undefined || attempt.orphanResult !== null) return stale;
    draft.load([row('runs', attempt.runId)]);
    keepOrphan(draft, attempt, ending.result);
    return { answered: { ...reply, declined: stale.refused } };
  }
  if (attempt.reportSha256 === reportSha256) return { answered: { ...reply, already: true } };
  return refuse(
    'completion_conflict',
    `Attempt ${attempt.id} has ended as ${attempt.status} by another report; the first one stands.`,
    { attempt_status: attempt.status },
  );
}
