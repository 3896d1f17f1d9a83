import type { TaskSpec } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { stableJson } from '../json-text.ts';
import type { HardNeeds } from '../rows.ts';
import { isLocalPath } from './repo-name.ts';

/** The engine a task asks for; null: any that can log in, other than `shell`. */
export function wantedEngine(spec: Pick<TaskSpec, 'kind' | 'needs'>): string | null {
  return spec.needs.engine ?? (spec.kind === 'command' ? 'shell' : null);
}

/** What a worker must have to take a task, in one form for equal needs. */
export function hardNeedsOf(spec: TaskSpec, assignedWorker: string | null): HardNeeds {
  const repo = spec.workspace?.repo;
  const selector = (spec.needs.selector ?? []).map((term) => ({
    ...term,
    values: term.values.toSorted(),
  }));
  return {
    engine: wantedEngine(spec),
    worker: assignedWorker ?? spec.needs.worker ?? null,
    selector: selector.toSorted((a, b) => (stableJson(a) < stableJson(b) ? -1 : 1)),
    repo: spec.needs.repo ?? null,
    localRepo: repo !== undefined && isLocalPath(repo) ? repo : null,
    tools: [...new Set(spec.needs.tools ?? [])].sort(),
    environment:
      spec.needs.environment?.required === true ? (spec.needs.environment.class ?? null) : null,
  };
}

/** The id of a set of hard needs; its row is written when the project has none yet. */
export function needsIdOf(draft: Draft, spec: TaskSpec, assignedWorker: string | null): string {
  const needs = hardNeedsOf(spec, assignedWorker);
  const id = draft.context.sha256(stableJson([draft.project, needs]));
  if (draft.find('needs', id) === null) {
    draft.put('needs', { id, projectId: draft.project, needs });
  }
  return id;
}
