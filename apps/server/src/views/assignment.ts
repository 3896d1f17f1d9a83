import type { Assignment } from '@baton/contract';
import { publicTaskId } from './ids.ts';

/** An assignment with the ids of tasks as workers and agents know them. */
export function assignmentView<A extends Omit<Assignment, 'token'>>(assignment: A): A {
  return {
    ...assignment,
    task: { ...assignment.task, id: publicTaskId(assignment.task.id) },
    upstream: assignment.upstream.map((it) => ({ ...it, task: publicTaskId(it.task) })),
  };
}
