import type { TaskRow } from '../rows.ts';

/** Whether a verification task still checks what its task has last handed in: else its verdict is stale. */
export function isCurrent(check: TaskRow, judged: TaskRow): boolean {
  return (
    check.verifies !== null &&
    judged.status === 'verifying' &&
    judged.generation === check.verifies.generation &&
    judged.attemptId === check.verifies.attempt &&
    judged.verification?.by === check.id
  );
}
