import type { AssignmentRows, Tables } from '@baton/kernel';
import type { SimDatabase } from './sim-database.ts';

/** What an assignment is made of; undefined when its attempt is gone. As the store's `loadAssignmentRows`. */
export function assignmentRows({ world }: SimDatabase, id: string): AssignmentRows | undefined {
  const attempt = world.row('attempts', id);
  if (attempt === null) return undefined;
  const task = world.row('tasks', attempt.taskId);
  const spec = world.row('taskSpecs', attempt.taskId);
  const run = world.row('runs', attempt.runId);
  if (task === null || spec === null || run === null) return undefined;
  const edgesIn = world.list('edgesIn', task.id);
  const upstreamTasks = [...new Set(edgesIn.map((it) => it.upstreamId))].flatMap(
    (it) => world.row('tasks', it) ?? [],
  );
  const earlier = world
    .list('attemptsOfTask', task.id)
    .filter((it: Tables['attempts']) => it.epoch < attempt.epoch)
    .sort((a, b) => b.epoch - a.epoch);
  return {
    attempt,
    task,
    spec,
    run,
    edgesIn,
    upstreamTasks,
    upstreamAttempts: [
      ...new Set([...upstreamTasks.map((it) => it.resultAttemptId), task.verifies?.attempt]),
    ].flatMap((it) => world.row('attempts', it ?? '') ?? []),
    saved: world
      .list('artifactsOfTask', task.id)
      .filter((it) => it.attemptId === continuedBy(attempt) && it.meta['saved'] === true),
    decided: world
      .all('checkpoints')
      .filter((it) => it.taskId === task.id)
      .filter((it) => it.status === 'resolved' || it.status === 'timed_out'),
    upstreamOutputs: upstreamTasks.flatMap((it) => world.list('outputsOfTask', it.id)),
    upstreamArtifacts: upstreamTasks
      .flatMap((it) => world.list('artifactsOfTask', it.id))
      .filter((it) => it.kind === 'bundle'),
    notes: world.list('notesOfTask', task.id),
    previousAttempt: earlier[0] ?? null,
  };
}

/** The attempt that one goes on with, as it was told when it was claimed. */
function continuedBy({ manifest }: Tables['attempts']): string | undefined {
  return (manifest['continue'] as { readonly attempt: string } | null | undefined)?.attempt;
}
