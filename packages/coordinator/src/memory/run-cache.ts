import { LISTS, rowKey, type ListName, type TableName, type Tables } from '@baton/kernel';
import { RecentMap } from './recent-map.ts';

type AnyRow = Tables[TableName];

/** Tables whose rows belong to one run, and are worth remembering from batch to batch. */
const CACHED_TABLES = [
  'runs',
  'tasks',
  'taskSpecs',
  'dependencies',
  'attempts',
  'outputs',
  'artifacts',
  'timers',
] as const satisfies readonly TableName[];
/** Lists of a task, all of whose rows belong to its run. */
export const CACHED_LISTS = [
  'edgesOut',
  'edgesIn',
  'outputsOfTask',
  'artifactsOfTask',
  'timersOfTask',
] as const;
type CachedList = (typeof CACHED_LISTS)[number];

const isCachedTable = new Set<string>(CACHED_TABLES);
const isCachedList = new Set<string>(CACHED_LISTS);

/** A run as it was after the last batch that held its lock. */
interface KnownRun {
  readonly id: string;
  version: number;
  isCurrent: boolean;
}

interface Known<V> {
  readonly run: KnownRun;
  readonly value: V;
}

/** What a committed batch knew and did; `row` and `list` answer as after its changes. */
export interface LearnedBatch {
  /** Locked runs with their versions as they were locked. */
  readonly versions: ReadonlyMap<string, number>;
  /** Locked runs that were changed: their version is one higher now. */
  readonly changedRuns: ReadonlySet<string>;
  /** Runs that the batch made: their version is 0. */
  readonly newRuns: ReadonlySet<string>;
  readonly rows: Iterable<readonly [TableName, string, AnyRow]>;
  /** Rows that are gone or were read without their run's lock. */
  readonly gone: Iterable<readonly [TableName, string]>;
  readonly changes: readonly {
    readonly table: TableName;
    readonly row: AnyRow | null;
    readonly original: AnyRow | null;
  }[];
  readonly lists: Iterable<readonly [ListName, string]>;
  row<T extends TableName>(table: T, id: string): Tables[T] | null | undefined;
  list(list: ListName, owner: string): readonly AnyRow[] | undefined;
}

/** What of the cache a batch may use: that of the runs it has locked and found unchanged. */
export interface CachedRows {
  row<T extends TableName>(table: T, id: string): Tables[T] | undefined;
  list(list: ListName, owner: string): readonly AnyRow[] | undefined;
  /** The run is locked and has this version. */
  locked(run: string, version: number): void;
}

/**
 * Rows of runs from batch to batch, so that a batch need not read again what the one before wrote. A row
 * is used only under its run's lock and only while the run has the version under which it was read or
 * written: whatever another replica did in between, it raised the version. Bounded; the oldest go first.
 */
export interface RunCache {
  /** The run of a row, for locking; may be behind, which the lock's version then tells. */
  runOf(table: 'tasks' | 'attempts', id: string): string | undefined;
  /** The version of a run, as the last batch that locked it left it. */
  versionOf(run: string): number | undefined;
  /** The worker of an attempt, which never changes. */
  workerOf(attempt: string): string | undefined;
  open(): CachedRows;
  /** Forgets everything: the database may not be the one it was. */
  clear(): void;
  /** Takes up what a committed batch read and wrote. */
  learn(batch: LearnedBatch): void;
}

/** Remembers at most `rowsMax` rows of each table, lists of each kind, and runs. */
export function createRunCache(rowsMax = 20_000): RunCache {
  const runs = new RecentMap<KnownRun>(rowsMax);
  /** Needs never change and never go. */
  const needs = new Map<string, Tables['needs']>();
  const rows = new Map(
    CACHED_TABLES.map((table) => [table as TableName, new RecentMap<Known<AnyRow>>(rowsMax)]),
  );
  const lists = new Map(
    CACHED_LISTS.map((list) => [
      list as ListName,
      new RecentMap<Known<readonly string[]>>(rowsMax),
    ]),
  );

  function rememberNeeds(row: Tables['needs']): void {
    if (needs.size >= rowsMax) needs.clear();
    needs.set(row.id, row);
  }

  function forgetRun(id: string): void {
    const run = runs.get(id);
    if (run !== undefined) run.isCurrent = false;
    runs.delete(id);
  }

  function knownRun(id: string, version: number): KnownRun {
    const before = runs.get(id);
    if (before !== undefined && before.version === version) return before;
    forgetRun(id);
    const run = { id, version, isCurrent: true };
    runs.set(id, run);
    return run;
  }

  /** The runs of a batch with the versions that they have now. */
  function afterwards(batch: LearnedBatch): Map<string, KnownRun> {
    const now = new Map<string, KnownRun>();
    for (const id of batch.newRuns) now.set(id, knownRun(id, 0));
    for (const [id, version] of batch.versions) {
      const run = knownRun(id, version);
      if (batch.changedRuns.has(id)) run.version += 1;
      now.set(id, run);
    }
    return now;
  }

  /** Lists that a change put a row on or took one off are changed too, where they are known. */
  function changeLists(batch: LearnedBatch, now: ReadonlyMap<string, KnownRun>): void {
    for (const list of CACHED_LISTS) {
      const { table } = LISTS[list];
      const known = mapOf(lists, list);
      for (const [owner, { run, joined, left }] of movesOf(list, batch.changes)) {
        const before = known.get(owner);
        if (before === undefined || before.run !== now.get(run)) {
          known.delete(owner);
          continue;
        }
        const stayed =
          left.size === 0 ? before.value : before.value.filter((key) => !left.has(key));
        const keys = joined.map((row) => rowKey(table, row));
        known.set(owner, { run: before.run, value: [...stayed, ...keys] });
      }
    }
  }

  function rememberList(
    batch: LearnedBatch,
    run: KnownRun | undefined,
    list: CachedList,
    owner: string,
  ) {
    const members = run === undefined ? undefined : batch.list(list, owner);
    if (run === undefined || members === undefined) return;
    const { table } = LISTS[list];
    const value = members.map((row) => rowKey(table, row));
    mapOf(lists, list).set(owner, { run, value });
  }

  return {
    versionOf: (id) => runs.get(id)?.version,
    workerOf: (id) =>
      (rows.get('attempts')?.get(id)?.value as Tables['attempts'] | undefined)?.workerId,
    runOf: (table, id) => (rows.get(table)?.get(id)?.value as Tables['tasks'] | undefined)?.runId,
    open() {
      const usable = new Set<KnownRun>();
      const isUsable = (run: KnownRun): boolean => run.isCurrent && usable.has(run);
      const find = (table: TableName, id: string): AnyRow | undefined => {
        const known = rows.get(table)?.get(id);
        return known !== undefined && isUsable(known.run) ? known.value : undefined;
      };
      return {
        row: (table, id) => (table === 'needs' ? needs.get(id) : find(table, id)) as never,
        list(list, owner) {
          const known = lists.get(list)?.get(owner);
          if (known === undefined || !isUsable(known.run)) return undefined;
          const found = known.value.map((id) => find(LISTS[list].table, id));
          return found.includes(undefined) ? undefined : (found as readonly AnyRow[]);
        },
        locked(id, version) {
          const run = runs.get(id);
          if (run === undefined) return;
          if (run.version === version) usable.add(run);
          else forgetRun(id);
        },
      };
    },
    clear() {
      runs.clear();
      for (const map of [...rows.values(), ...lists.values()]) map.clear();
      needs.clear();
    },
    learn(batch) {
      const now = afterwards(batch);
      for (const [table, id] of batch.gone) rows.get(table)?.delete(id);
      for (const [table, id, row] of batch.rows) {
        if (table === 'needs') rememberNeeds(row as Tables['needs']);
        const run = isCachedTable.has(table) ? now.get(runIdOf(table, row) ?? '') : undefined;
        if (run !== undefined) mapOf(rows, table).set(id, { run, value: row });
      }
      changeLists(batch, now);
      for (const { table, row, original } of batch.changes) {
        if (table !== 'tasks' || row === null || original !== null) continue;
        const task = row as Tables['tasks'];
        // What a new task starts with is what the batch made of it.
        for (const list of CACHED_LISTS) rememberList(batch, now.get(task.runId), list, task.id);
      }
      for (const [list, owner] of batch.lists) {
        if (!isCachedList.has(list)) continue;
        const run = now.get(batch.row('tasks', owner)?.runId ?? '');
        const isKnown = run !== undefined && lists.get(list)?.get(owner)?.run === run;
        if (!isKnown) rememberList(batch, run, list as CachedList, owner);
      }
    },
  };
}

/** Who joined which lists, and who left them. */
function movesOf(list: CachedList, changes: LearnedBatch['changes']) {
  const { table, owners } = LISTS[list];
  const moves = new Map<string, { run: string; joined: AnyRow[]; left: Set<string> }>();
  const moveOf = (owner: string, row: AnyRow) => {
    let move = moves.get(owner);
    if (move === undefined) {
      moves.set(owner, (move = { run: runIdOf(table, row) ?? '', joined: [], left: new Set() }));
    }
    return move;
  };
  for (const { table: changed, row, original } of changes) {
    if (changed !== table) continue;
    const before = original === null ? [] : owners(original as never);
    const after = row === null ? [] : owners(row as never);
    if (row !== null) {
      for (const owner of after) {
        if (!before.includes(owner)) moveOf(owner, row).joined.push(row);
      }
    }
    if (original !== null) {
      for (const owner of before) {
        if (!after.includes(owner)) moveOf(owner, original).left.add(rowKey(table, original));
      }
    }
  }
  return moves;
}

/** The run that a row belongs to, if it belongs to one. */
export function runIdOf(table: TableName, row: AnyRow): string | undefined {
  if (table === 'runs') return (row as Tables['runs']).id;
  return 'runId' in row && row.runId !== null ? row.runId : undefined;
}

function mapOf<K, V>(maps: ReadonlyMap<K, V>, key: K): V {
  const map = maps.get(key);
  if (map === undefined) throw new Error(`nothing is remembered of ${String(key)}`);
  return map;
}
