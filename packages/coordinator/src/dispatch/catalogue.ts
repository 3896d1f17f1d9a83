import type { NeedsRow, WorkerRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import type { ServiceStore } from '../store/coordinator-store.ts';

/**
 * What is few and rarely changes, kept in memory: the distinct needs of each project and the engines
 * its workers ever advertised. Other replicas' additions arrive by `refresh`.
 */
export interface Catalogue {
  needsOf(project: string): readonly NeedsRow[];
  readonly engines: (project: string) => readonly string[];
  refresh(): Promise<void>;
  /** Takes up what a committed batch added. */
  learn(writes: readonly RowChange[]): void;
}

/** `builtIn` are the engines that are always known. */
export function createCatalogue(store: ServiceStore, builtIn: readonly string[]): Catalogue {
  const needs = new Map<string, Map<string, NeedsRow>>();
  const engines = new Map<string, Set<string>>();

  function addNeeds(row: NeedsRow): void {
    let rows = needs.get(row.projectId);
    if (rows === undefined) needs.set(row.projectId, (rows = new Map()));
    rows.set(row.id, row);
  }

  function addEngine(project: string, name: string): void {
    let names = engines.get(project);
    if (names === undefined) engines.set(project, (names = new Set(builtIn)));
    names.add(name);
  }

  return {
    needsOf: (project) => [...(needs.get(project)?.values() ?? [])],
    engines: (project) => [...(engines.get(project) ?? builtIn)],
    async refresh() {
      const [rows, known] = await Promise.all([store.listNeeds(), store.listKnownEngines()]);
      for (const row of rows) addNeeds(row);
      for (const it of known) addEngine(it.projectId, it.engine);
    },
    learn(writes) {
      for (const { table, row } of writes) {
        if (row === null) continue;
        if (table === 'needs') addNeeds(row as NeedsRow);
        if (table === 'workers') {
          const worker = row as WorkerRow;
          for (const it of worker.capabilities.engines) addEngine(worker.projectId, it.name);
        }
      }
    },
  };
}
