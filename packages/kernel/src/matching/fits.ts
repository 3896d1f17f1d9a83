import type { Capabilities, SelectorTerm } from '@baton/contract';
import type { HardNeeds, WorkerRow } from '../rows.ts';
import { isSameRepo } from './repo-name.ts';

/** Whether a worker has all that is asked; slots, draining and silence are looked at elsewhere. */
export function fits(needs: HardNeeds, worker: WorkerRow): boolean {
  return misfits(needs, worker).length === 0;
}

/** Each thing that is asked and that a worker does not have, in words for people. */
export function misfits(needs: HardNeeds, worker: WorkerRow): string[] {
  const { capabilities } = worker;
  const out: string[] = [];
  if (needs.worker !== null && needs.worker !== worker.name)
    out.push(`only ${needs.worker} may take it`);
  if (enginesOf(needs, capabilities).length === 0)
    out.push(engineMisfit(needs.engine, capabilities));
  for (const term of needs.selector) {
    if (!holds(term, worker.labels)) out.push(`label ${sayTerm(term)} does not hold`);
  }
  const { repo } = needs;
  if (repo !== null && !capabilities.repos.some((it) => isSameRepo(repo, it))) {
    out.push(`does not have repo ${repo}`);
  }
  for (const tool of needs.tools) {
    if (!capabilities.tools.includes(tool)) out.push(`does not have tool ${tool}`);
  }
  if (needs.environment !== null && !capabilities.environments.includes(needs.environment)) {
    out.push(`does not offer environment ${needs.environment}`);
  }
  return out;
}

/**
 * The engines of a worker that would do, the best first: the wanted one, then its fallback; where none
 * is wanted, all but `shell`. Only those that can log in.
 */
export function enginesOf(
  needs: Pick<HardNeeds, 'engine' | 'fallbackEngine'>,
  capabilities: Capabilities,
): string[] {
  const able = capabilities.engines.filter((it) => it.auth !== 'missing').map((it) => it.name);
  if (needs.engine === null) return able.filter((it) => it !== 'shell');
  const wanted = [needs.engine, needs.fallbackEngine].filter((it) => it !== undefined);
  return [...new Set(wanted)].filter((it) => able.includes(it));
}

function engineMisfit(wanted: string | null, capabilities: Capabilities): string {
  if (wanted === null) return 'has no agent engine that is logged in';
  return capabilities.engines.some((it) => it.name === wanted)
    ? `engine ${wanted} is not logged in`
    : `does not have engine ${wanted}`;
}

function holds(term: SelectorTerm, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[term.key];
  switch (term.op) {
    case '=':
      return value !== undefined && value === term.values[0];
    case '!=':
      return value !== term.values[0];
    case 'in':
      return value !== undefined && term.values.includes(value);
    case 'exists':
      return value !== undefined;
  }
}

function sayTerm(term: SelectorTerm): string {
  if (term.op === 'exists') return `${term.key} exists`;
  return term.op === 'in'
    ? `${term.key} in (${term.values.join(', ')})`
    : `${term.key} ${term.op} ${term.values[0] ?? ''}`;
}
