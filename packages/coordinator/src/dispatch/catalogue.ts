import type { LimitRow, NeedsRow, Turns, WorkerRow } from '@baton/kernel';
import type { RowChange } from '@baton/store';
import type { ServiceStore } from '../store/coordinator-store.ts';

/**
 * What is few and rarely changes, kept in memory: the distinct needs of each project and the engines
 * its workers ever advertised. Other replicas' additions arrive by `refresh`.
 */
export interface Catalogue {
  needsOf(project: string): readonly NeedsRow[];
  /** False for needs that are on record and were not met here yet: `refresh` takes them up. */
  knowsNeeds(project: string, id: string): boolean;
  readonly engines: (project: string) => readonly string[];
  /** Keys that have a limit, as far as is known here. */
  readonly limitedKeys: (project: string) => ReadonlySet<string>;
  /** How far turns in a project have come, as far as is known here. */
  readonly turnsOf: (project: string) => Turns;
  /** Turns have come as far as this. */
  learnTurns(project: string, turns: Partial<Turns>): void;
  /** Whether it is time to look for work that has risen by waiting: every few seconds. */
  isTimeForRisen(project: string, nowMs: number): boolean;
  lookedForRisen(project: string, nowMs: number): void;
  /** Answers whether there was something new that work may have waited for. */
  refresh(): Promise<boolean>;
  /** Takes up what a committed batch added. */
  learn(writes: readonly RowChange[]): void;
  /** A batch that was taken up did not happen: needs that it made may not exist. */
  unlearn(writes: readonly RowChange[]): void;
}

/** Lower classes are looked through for what has risen this often at most. */
const risenEveryMs = 5_000;
const none: ReadonlySet<string> = new Set();
const noTurns: Turns = { pass: 0, risenPass: 0 };

/** `builtIn` are the engines that are always known. */
export function createCatalogue(store: ServiceStore, builtIn: readonly string[]): Catalogue {
  const needs = new Map<string, Map<string, NeedsRow>>();
  const engines = new Map<string, Set<string>>();

  const limited = new Map<string, Set<string>>();
  const turnsByProject = new Map<string, Turns>();
  const risenAtMs = new Map<string, number>();

  function addLimit({ projectId, key }: Pick<LimitRow, 'projectId' | 'key'>): void {
    const keys = limited.get(projectId);
    if (keys === undefined) limited.set(projectId, new Set([key]));
    else keys.add(key);
  }

  const turnsOf = (project: string): Turns => turnsByProject.get(project) ?? noTurns;

  function learnTurns(project: string, { pass = 0, risenPass = 0 }: Partial<Turns>): void {
    const before = turnsOf(project);
    turnsByProject.set(project, {
      pass: Math.max(before.pass, pass),
      risenPass: Math.max(before.risenPass, risenPass),
    });
  }

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
    knowsNeeds: (project, id) => needs.get(project)?.has(id) === true,
    needsOf: (project) => [...(needs.get(project)?.values() ?? [])],
    engines: (project) => [...(engines.get(project) ?? builtIn)],
    limitedKeys: (project) => limited.get(project) ?? none,
    turnsOf,
    learnTurns,
    isTimeForRisen: (project, nowMs) => nowMs - (risenAtMs.get(project) ?? 0) >= risenEveryMs,
    lookedForRisen(project, nowMs) {
      risenAtMs.set(project, nowMs);
    },
    async refresh() {
      const [rows, known, limits, turns] = await Promise.all([
        store.listNeeds(),
        store.listKnownEngines(),
        store.listLimitedKeys(),
        store.listPasses(),
      ]);
      const isNew = rows.some((row) => needs.get(row.projectId)?.has(row.id) !== true);
      for (const it of limits) addLimit(it);
      for (const it of turns) learnTurns(it.projectId, it);
      for (const row of rows) addNeeds(row);
      for (const it of known) addEngine(it.projectId, it.engine);
      return isNew;
    },
    learn(writes) {
      for (const { table, row, original } of writes) {
        if (table === 'limits' && row === null && original !== null) {
          const { projectId, key } = original as LimitRow;
          limited.get(projectId)?.delete(key);
        }
        if (row === null) continue;
        if (table === 'limits') addLimit(row as LimitRow);
        if (table === 'needs') addNeeds(row as NeedsRow);
        if (table === 'workers') {
          const worker = row as WorkerRow;
          for (const it of worker.capabilities.engines) addEngine(worker.projectId, it.name);
        }
      }
    },
    unlearn(writes) {
      for (const { table, id, row, original } of writes) {
        if (table !== 'needs' || original !== null || row === null) continue;
        needs.get((row as NeedsRow).projectId)?.delete(id);
      }
    },
  };
}
