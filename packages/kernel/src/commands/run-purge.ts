import type { Handler } from './handler.ts';
import { deleteRun } from './run-delete.ts';

/**
 * Deletes a run and has everything of it taken away: tasks, attempts, logs, files, history. What is not
 * there any more is purged already.
 */
export const runPurge: Handler<'run.purge'> = (draft, command) => {
  const run = draft.find('runs', command.run);
  if (run === null || run.projectId !== draft.project) return { already: true };
  if (run.purgeAtMs !== null) return { run: run.id, already: true };
  if (run.deletedAtMs === null) deleteRun(draft, run, 'purged');
  draft.put('runs', { ...draft.get('runs', run.id), purgeAtMs: draft.nowMs });
  draft.event('run.purged', { run: null }, { run: run.id });
  return { run: run.id };
};
