import type { Draft } from '../draft.ts';
import type { AttemptRow } from '../rows.ts';
import { normaliseRepo } from './repo-name.ts';

/** Repositories a worker is remembered to be warm for, newest first. */
const warmReposMax = 32;

/** The worker of an attempt that ended well has that task's repository at hand now. */
export function learnRepo(draft: Draft, attempt: AttemptRow): void {
  const { spec } = draft.get('taskSpecs', attempt.taskId);
  const repo = spec.workspace?.repo ?? spec.needs.repo;
  const worker = draft.find('workers', attempt.workerId);
  if (repo === undefined || worker === null) return;
  const name = normaliseRepo(repo);
  if (worker.warmRepos.includes(name)) return;
  const warmRepos = [name, ...worker.warmRepos].slice(0, warmReposMax);
  draft.put('workers', { ...worker, warmRepos });
}
