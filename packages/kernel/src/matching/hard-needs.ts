import type { TaskSpec } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { stableJson } from '../json-text.ts';
import { ownKeysOf } from '../limits/limit-keys.ts';
import { rows } from '../need.ts';
import type { HardNeeds } from '../rows.ts';

const noKeys: ReadonlySet<string> = new Set();

/** The engine a task asks for; null: any that can log in, other than `shell`. */
export function wantedEngine(spec: Pick<TaskSpec, 'kind' | 'needs'>): string | null {
  return spec.needs.engine ?? (spec.kind === 'command' ? 'shell' : null);
}

/** What a worker must have to take a task, in one form for equal needs. */
export function hardNeedsOf(
  spec: TaskSpec,
  assignedWorker: string | null,
  limitedKeys: ReadonlySet<string> = noKeys,
): HardNeeds {
  const keys = ownKeysOf(spec).filter((key) => limitedKeys.has(key));
  const { fallback_engine: fallbackEngine } = spec.needs;
  const selector = (spec.needs.selector ?? []).map((term) => ({
    ...term,
    values: term.values.toSorted(),
  }));
  return {
    engine: wantedEngine(spec),
    worker: assignedWorker ?? spec.needs.worker ?? null,
    selector: selector.toSorted((a, b) => (stableJson(a) < stableJson(b) ? -1 : 1)),
    repo: spec.needs.repo ?? null,
    tools: [...new Set(spec.needs.tools ?? [])].sort(),
    environment:
      spec.needs.environment?.required === true ? (spec.needs.environment.class ?? null) : null,
    ...(fallbackEngine === undefined ? {} : { fallbackEngine }),
    ...(keys.length === 0 ? {} : { keys: keys.sort() }),
  };
}

/**
 * The ids of the hard needs of some specs, in their order; the row of each set is written when the
 * project has none yet. Asks for all of them at once.
 */
export function needsIdsOf(
  draft: Draft,
  specs: readonly TaskSpec[],
  assignedWorker: string | null = null,
  limitedKeys: ReadonlySet<string> = draft.context.limitedKeys(draft.project),
): string[] {
  const idOfText = new Map<string, string>();
  const needsOfId = new Map<string, HardNeeds>();
  const ids = specs.map((spec) => {
    const needs = hardNeedsOf(spec, assignedWorker, limitedKeys);
    const text = stableJson([draft.project, needs]);
    const id = idOfText.get(text) ?? draft.context.sha256(text);
    idOfText.set(text, id);
    needsOfId.set(id, needs);
    return id;
  });
  draft.load(rows('needs', needsOfId.keys()));
  for (const [id, needs] of needsOfId) {
    if (draft.find('needs', id) === null) {
      draft.put('needs', { id, projectId: draft.project, needs });
    }
  }
  return ids;
}

/** The id of the hard needs of one spec. */
export function needsIdOf(draft: Draft, spec: TaskSpec, assignedWorker: string | null): string {
  return needsIdsOf(draft, [spec], assignedWorker)[0] ?? '';
}
