import type { CommandOf } from '@baton/contract';
import { noteUsage } from '../attempt/close-attempt.ts';
import { fence } from '../attempt/fence.ts';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { row } from '../need.ts';
import type { Refused } from '../refuse.ts';
import { putProgress } from '../task/put-progress.ts';
import type { Handler } from './handler.ts';

/** How far the agent is, and what it used. */
export const attemptProgress: Handler<'attempt.progress'> = (draft, command) =>
  write(draft, command);

/** A sign of life of one attempt: renews its lease. */
export const attemptHeartbeat: Handler<'attempt.heartbeat'> = (draft, command) =>
  write(draft, command);

function write(
  draft: Draft,
  command: CommandOf<'attempt.progress' | 'attempt.heartbeat'>,
): Reply | Refused {
  const found = fence(draft, command);
  if ('refused' in found) return found;
  const { progress, usage, conversation } = command.body;
  draft.put('attempts', {
    ...found,
    conversation: conversation ?? found.conversation,
    leaseUntilMs: Math.max(found.leaseUntilMs, draft.nowMs + found.leaseSeconds * 1_000),
    missedBeats: 0,
  });
  if (usage !== undefined || progress !== undefined) draft.load([row('runs', found.runId)]);
  if (usage !== undefined) noteUsage(draft, found.id, usage);
  if (progress !== undefined) putProgress(draft, found.taskId, found.id, progress);
  return { attempt: found.id, task: found.taskId, run: found.runId };
}
