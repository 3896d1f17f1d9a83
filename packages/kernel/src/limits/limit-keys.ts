import type { TaskSpec } from '@baton/contract';
import { normaliseRepo } from '../matching/repo-name.ts';

/** The key under which every task of an engine counts. */
export function engineKey(engine: string): string {
  return `engine:${engine}`;
}

/** Keys of one spelling: repositories by their normal name, the rest as they are. */
export function normaliseKey(key: string): string {
  return key.startsWith('repo:') ? `repo:${normaliseRepo(key.slice('repo:'.length))}` : key;
}

/** The keys that a task counts under besides its engine's: its own, and those of its repositories. */
export function ownKeysOf(spec: Pick<TaskSpec, 'concurrency' | 'needs' | 'workspace'>): string[] {
  const { concurrency = [], needs, workspace } = spec;
  const repos = [needs.repo, workspace?.repo].filter((it) => it !== undefined);
  if (concurrency.length + repos.length === 0) return [];
  return [
    ...new Set([
      ...concurrency.map(normaliseKey),
      ...repos.map((repo) => `repo:${normaliseRepo(repo)}`),
    ]),
  ];
}

/** All keys that an attempt with an engine counts under. */
export function keysOf(
  spec: Pick<TaskSpec, 'concurrency' | 'needs' | 'workspace'>,
  engine: string,
): string[] {
  const key = engineKey(engine);
  return [key, ...ownKeysOf(spec).filter((it) => it !== key)];
}

/** The id of the limit of a key. */
export function limitId(project: string, key: string): string {
  return `${project}/${key}`;
}
