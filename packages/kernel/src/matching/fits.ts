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
  const engine = engineMisfit(needs.engine, capabilities);
  if (engine !== null) out.push(engine);
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

/** The engine a worker would use: the wanted one, else its first that can log in; null: none. */
export function engineFor(wanted: string | null, capabilities: Capabilities): string | null {
  const found = capabilities.engines.find(
    (it) => it.auth !== 'missing' && (wanted === null ? it.name !== 'shell' : it.name === wanted),
  );
  return found?.name ?? null;
}

function engineMisfit(wanted: string | null, capabilities: Capabilities): string | null {
  if (engineFor(wanted, capabilities) !== null) return null;
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
