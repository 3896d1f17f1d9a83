import type { Reads } from '@baton/store';
import type { Principal } from '../auth/principal.ts';
import { found, notFound } from '../resolve.ts';

/**
 * An agent sees its own task and those that it handed on, nothing else of the project.
 * @throws {AppError} not_found
 */
export async function checkSeen(
  reads: Pick<Reads, 'findTask'>,
  principal: Principal,
  task: string,
  shown: string,
): Promise<void> {
  if (principal.kind !== 'attempt' || principal.task === task) return;
  const read = await reads.findTask(principal.project, task);
  if (read?.spec.parentTaskId !== principal.task) throw notFound('task', shown);
}

/** The task and run of an attempt that a worker or its agent speaks for. */
export async function workOf(
  reads: Pick<Reads, 'findAttempt'>,
  principal: Principal,
  attempt: string,
): Promise<{ readonly task: string; readonly run: string }> {
  if (principal.kind === 'attempt') return { task: principal.task, run: principal.run };
  const read = found(await reads.findAttempt(attempt), 'attempt', attempt);
  return { task: read.attempt.taskId, run: read.attempt.runId };
}
