import { createReads, openPostgres, type Db } from '@baton/store';
import pg from 'pg';
import { freshPostgres } from './database.ts';
import {
  actor,
  addWorker,
  execute,
  flatPlan,
  project,
  startCoordinator,
  withCoordinator,
  submitPlan,
} from './fleet.ts';
import { summarize, type Summary } from './stats.ts';

const runSize = 10_000;
const samples = 200;

/** What the system answers while this many tasks are open. */
export interface GrowthFigures {
  readonly openTasks: number;
  /** Milliseconds until a claim is durable. */
  readonly claim: Summary;
  /** Milliseconds of the first page of 50 open tasks, and of one deep in the list. */
  readonly list: Summary;
  /** Milliseconds from opening the database to the first task handed out; null where not measured. */
  readonly restartMs: number | null;
  /** Of this process after it, in MB. */
  readonly residentMb: number;
}

/** Claim and list latency on PostgreSQL as the number of open tasks grows. */
export async function measureGrowth(
  serverUrl: string,
  sizes: readonly number[],
  restartAt: number,
): Promise<GrowthFigures[]> {
  const { db, url, close } = await freshPostgres(serverUrl);
  const coordinator = await startCoordinator(db);
  await submitPlan(coordinator, flatPlan(1));
  await coordinator.stop();
  const found: GrowthFigures[] = [];
  let open = 1;
  for (const size of sizes) {
    await addOpenTasks(url, open, size);
    open = size;
    const restartMs = size === restartAt ? await measureRestart(url) : null;
    found.push({ openTasks: size, ...(await measureAt(db)), restartMs });
  }
  await close();
  return found;
}

/** Copies the newest task, which nobody has taken yet, under other ids, in runs of 10,000. */
async function addOpenTasks(url: string, from: number, to: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const copy = async (
    table: string,
    values: Readonly<Record<string, string>>,
    series: string,
  ): Promise<void> => {
    const { rows } = await client.query<{ name: string }>(
      `select attname as name from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    );
    const key = table === 'task_specs' || table === 'ready' ? 'task_id' : 'id';
    await client.query(`
      insert into ${table} (${rows.map((row) => row.name).join(', ')})
      select ${rows.map((row) => values[row.name] ?? `made.${row.name}`).join(', ')}
        from ${series} as n
       cross join (select * from ${table} order by ${key} collate "C" desc limit 1) made`);
  };
  const id = `'task_zz' || lpad(n::text, 24, '0')`;
  const run = `'run_zz' || lpad((n / ${runSize})::text, 24, '0')`;
  const tasks = `generate_series(${from}, ${to - 1})`;
  const firstRun = Math.ceil(from / runSize);
  if (to > runSize || from === 1) {
    await copy(
      'runs',
      {
        id: `'run_zz' || lpad(n::text, 24, '0')`,
        task_count: `${runSize}`,
        open_tasks: `${runSize}`,
        active_tasks: `${runSize}`,
      },
      `generate_series(${from === 1 ? 0 : firstRun}, ${Math.floor((to - 1) / runSize)})`,
    );
  }
  await copy('tasks', { id, run_id: run, position: `n % ${runSize}`, key: `'t' || n` }, tasks);
  await copy('task_specs', { task_id: id, run_id: run }, tasks);
  await copy('ready', { task_id: id, run_id: run, seq: `made.seq + n` }, tasks);
  await client.query('analyze');
  await client.end();
}

function measureAt(db: Db): Promise<Omit<GrowthFigures, 'openTasks' | 'restartMs'>> {
  return withCoordinator(db, async (coordinator) => {
    const worker = await addWorker(coordinator, `w${Math.random()}`, 1);
    const epochs = new Map<string, number>();
    coordinator.onCommitted((events) => {
      for (const { type, attemptId, data } of events) {
        if (type === 'attempt.claimed' && attemptId !== null) {
          epochs.set(attemptId, Number(data['epoch']));
        }
      }
    });
    const claims: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const startedMs = performance.now();
      const { claimed = [] } = await coordinator.submit({
        type: 'work.dispatch',
        project,
        actor,
        workers: [{ worker, max: 1 }],
      });
      claims.push(performance.now() - startedMs);
      const attempt = claimed[0]?.attempt;
      if (attempt === undefined) throw new Error('nothing was handed out');
      await execute(coordinator, worker, attempt, epochs.get(attempt) ?? 0);
    }
    const lists = await measureLists(db);
    const residentMb = process.memoryUsage().rss / 2 ** 20;
    return { claim: summarize(claims), list: summarize(lists), residentMb };
  });
}

async function measureLists(db: Db): Promise<number[]> {
  const reads = createReads(db);
  const took: number[] = [];
  let after: { readonly atMs: number; readonly id: string } | undefined;
  for (let sample = 0; sample < samples; sample++) {
    const startedMs = performance.now();
    const page = await reads.listTasks(project, { status: ['ready'] }, 50, after);
    took.push(performance.now() - startedMs);
    const last = page.at(-1);
    after = last === undefined ? undefined : { atMs: last.task.createdAtMs, id: last.task.id };
  }
  return took;
}

/** From a closed database to the first task handed to a worker that asks. */
async function measureRestart(url: string): Promise<number> {
  const before = await openPostgres({ url });
  const setup = await startCoordinator(before);
  const worker = await addWorker(setup, `restart${Math.random()}`, 1);
  await setup.stop();
  await before.close();
  const startedMs = performance.now();
  const db = await openPostgres({ url });
  const coordinator = await startCoordinator(db);
  const { claimed = [] } = await coordinator.submit({
    type: 'work.dispatch',
    project,
    actor,
    workers: [{ worker, max: 1 }],
  });
  const took = performance.now() - startedMs;
  if (claimed.length === 0) throw new Error('nothing was handed out after the restart');
  await coordinator.stop();
  await db.close();
  return took;
}
