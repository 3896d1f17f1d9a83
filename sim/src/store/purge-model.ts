import { rowKey, type NewEvent, type TableName, type Tables } from '@baton/kernel';
import type { Purgeable, SimDatabase } from './sim-database.ts';

/** What goes with tasks, before them: one statement after the other. */
const OF_TASKS = ['actions', 'awaits', 'outputs', 'notes', 'timers', 'ready'] as const;
/** What else goes with a run, before it. */
const OF_RUNS = ['checkpoints', 'timers', 'budgets', 'planParts'] as const;

/** Runs one statement at the database. */
type Run = (statement: () => number) => Promise<number>;

/**
 * Marked runs and tasks without a live process, the oldest first; a task's own only while its run stays.
 * As the store's `listPurgeable`.
 */
export function purgeable({ world }: SimDatabase, limit: number): Purgeable[] {
  const lives = (it: Tables['attempts']): boolean => it.endedAtMs === null;
  const runs = world
    .all('runs')
    .filter((it) => it.purgeAtMs !== null)
    .filter((it) => !world.list('openAttemptsOfRun', it.id).some(lives))
    .map((it) => ({ project: it.projectId, run: it.id, task: null, atMs: it.purgeAtMs ?? 0 }));
  const tasks = world
    .all('tasks')
    .filter((it) => it.purgeAtMs !== null && world.row('runs', it.runId)?.purgeAtMs === null)
    .filter((it) => !world.list('attemptsOfTask', it.id).some(lives))
    .map((it) => ({ project: it.projectId, run: it.runId, task: it.id, atMs: it.purgeAtMs ?? 0 }));
  return [...runs, ...tasks]
    .sort((a, b) => a.atMs - b.atMs || (a.run < b.run ? -1 : 1))
    .slice(0, limit)
    .map(({ project, run, task }) => ({ project, run, task }));
}

/**
 * Takes away a piece of a run or task, statement by statement as the store's `purgeStep` does; others
 * write in between. Answers how many rows went.
 */
export async function purgeStep(
  db: SimDatabase,
  run: Run,
  removeRun: Run,
  what: Purgeable,
): Promise<number> {
  const tasks =
    what.task === null ? db.world.list('tasksOfRun', what.run).map((it) => it.id) : [what.task];
  const of = new Set<string | null>(tasks);
  let gone = 0;
  if (what.task !== null) {
    const { task } = what;
    gone += await run(() => blank(db, (event) => event.taskId === task, {}));
    gone += await run(() =>
      remove(db, 'checkpoints', (it) => it.runId === what.run && it.taskId === task),
    );
  }
  if (tasks.length === 0) {
    gone += await run(() =>
      blank(db, (event) => event.runId === what.run, { runId: null, runSeq: null }),
    );
    for (const table of OF_RUNS)
      gone += await run(() => remove(db, table, (it) => it.runId === what.run));
    db.purged.add(what.run);
    return gone + (await removeRun(() => remove(db, 'runs', (it) => it.id === what.run)));
  }
  const rows = await purgeTasks(db, run, of);
  if (what.task !== null && rows > 0) {
    await run(() => {
      db.raiseVersion(what.run);
      return 0;
    });
  }
  return gone + rows;
}

async function purgeTasks(
  db: SimDatabase,
  run: Run,
  of: ReadonlySet<string | null>,
): Promise<number> {
  const attempts = await run(() => remove(db, 'attempts', (it) => of.has(it.taskId)));
  if (attempts > 0) return attempts;
  const files = await run(() => remove(db, 'artifacts', (it) => of.has(it.taskId)));
  if (files > 0) return files;
  let gone = 0;
  for (const table of OF_TASKS)
    gone += await run(() => remove(db, table, (it) => of.has(it.taskId)));
  gone += await run(() => remove(db, 'dependencies', (it) => of.has(it.upstreamId)));
  gone += await run(() => remove(db, 'dependencies', (it) => of.has(it.downstreamId)));
  gone += await run(() => remove(db, 'taskSpecs', (it) => of.has(it.taskId)));
  for (const id of of) if (id !== null) db.purged.add(id);
  return gone + (await run(() => remove(db, 'tasks', (it) => of.has(it.id))));
}

function remove<T extends TableName>(
  { world }: SimDatabase,
  table: T,
  isMeant: (row: Tables[T]) => boolean,
): number {
  const rows = world.all(table).filter(isMeant);
  world.apply(rows.map((row) => ({ table, id: rowKey(table, row), row: null })) as never);
  return rows.length;
}

/** An event of what was purged keeps its place, and says nothing. */
function blank(
  { feed }: SimDatabase,
  isMeant: (event: NewEvent) => boolean,
  patch: Partial<NewEvent>,
): number {
  let count = 0;
  feed.forEach(({ pos, event }, at) => {
    if (event.type === 'event.purged' || !isMeant(event)) return;
    count += 1;
    const blanked = { type: 'event.purged', taskId: null, attemptId: null, cause: null, data: {} };
    const actor = { kind: 'kernel', id: null, name: null } as const;
    feed[at] = { pos, event: { ...event, ...blanked, actor, ...patch } as NewEvent };
  });
  return count;
}
