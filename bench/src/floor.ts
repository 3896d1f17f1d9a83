import { migrate, openPostgres } from '@baton/store';
import pg from 'pg';
import { newDatabase } from './database.ts';
import { addWorker, flatPlan, startCoordinator, submitPlan } from './fleet.ts';
import { drain } from './lifecycle.ts';

const batch = 256;
const connections = 2;

/** Which rows each of the four transactions of a batch writes. */
const CREATED = ['task.created', 'task.ready'];
const CLAIMED = ['task.assigned', 'attempt.claimed'];
const STARTED = ['attempt.started', 'task.started'];
const ENDED = ['attempt.succeeded', 'task.completed'];

/**
 * What the rows alone cost: the same rows of a lifecycle, in the same tables with the same indexes, by
 * plain SQL in batches of 256 over two connections. Nothing is decided, checked, fenced or read, and the
 * rows are made in the database from those of one real lifecycle.
 */
export async function measureFloor(serverUrl: string, count: number): Promise<number> {
  const { url, drop } = await newDatabase(serverUrl);
  await makeTemplate(url);
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query('set enable_seqscan = off; set enable_hashjoin = off; set jit = off');
      return client;
    }),
  );
  const statements = await statementsOf(clients[0]);
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      while (next < count) {
        const ids = Array.from(
          { length: Math.min(batch, count - next) },
          (_, index) => `task_${String(next + index).padStart(26, '0')}`,
        );
        next += ids.length;
        for (const transaction of statements) {
          await client.query('begin');
          for (const { name, text } of transaction) {
            await client.query({ name, text, values: [ids] });
          }
          await client.query('commit');
        }
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  for (const client of clients) await client.end();
  await drop();
  return count / seconds;
}

/** One lifecycle by the real thing; its rows are kept apart and then copied under other ids. */
async function makeTemplate(url: string): Promise<void> {
  const db = await openPostgres({ url });
  await migrate(db);
  const coordinator = await startCoordinator(db);
  const worker = await addWorker(coordinator, 'template', 1);
  await submitPlan(coordinator, flatPlan(2));
  await drain(coordinator, [worker], 2);
  await coordinator.stop();
  await db.close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const one = `select min(id) from tasks`;
  await client.query(`
    create table made_task as select * from tasks where id = (${one});
    create table made_spec as select * from task_specs where task_id = (${one});
    create table made_attempt as select * from attempts where task_id = (${one});
    create table made_event as select * from events where task_id = (${one});
    analyze`);
  await client.end();
}

interface Named {
  readonly name: string;
  readonly text: string;
}

async function statementsOf(client: pg.Client | undefined): Promise<readonly (readonly Named[])[]> {
  if (client === undefined) throw new Error('no connection');
  const columns = async (table: string): Promise<string[]> => {
    const { rows } = await client.query<{ name: string }>(
      `select attname as name from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    );
    return rows.map((row) => row.name);
  };
  const copy = async (
    table: string,
    from: string,
    values: Readonly<Record<string, string>>,
  ): Promise<string> => {
    const names = await columns(table);
    return `insert into ${table} (${names.join(', ')})
      select ${names.map((name) => values[name] ?? `made.${name}`).join(', ')}
        from unnest($1::text[]) as u (id) cross join ${from} made`;
  };
  const eventNames = await columns('events');
  const events = (types: readonly string[]): string => `
    with counter as (
      update feed set next_pos = next_pos + cardinality($1::text[]) * ${types.length}
       where id = 1
      returning next_pos - cardinality($1::text[]) * ${types.length} as first_pos)
    insert into events (${eventNames.join(', ')})
    select ${eventNames
      .map((name) =>
        name === 'pos' || name === 'run_seq'
          ? `counter.first_pos + row_number() over ()`
          : name === 'task_id'
            ? 'u.id'
            : `made.${name}`,
      )
      .join(', ')}
      from counter cross join unnest($1::text[]) as u (id)
      join made_event made on made.type in (${types.map((type) => `'${type}'`).join(', ')})`;
  const named = (name: string, text: string): Named => ({ name, text });
  return [
    [
      named(
        'task',
        await copy('tasks', 'made_task', { id: 'u.id', status: `'ready'`, ended_at: 'null' }),
      ),
      named('spec', await copy('task_specs', 'made_spec', { task_id: 'u.id' })),
      named(
        'ready',
        `insert into ready (task_id, run_id, project_id, needs_id, priority, pass, seq)
         select u.id, made.run_id, made.project_id, made.needs_id, 2, 0, 0
           from unnest($1::text[]) as u (id) cross join made_task made`,
      ),
      named('created', events(CREATED)),
    ],
    [
      named('unready', `delete from ready where task_id = any($1::text[])`),
      named(
        'claim',
        `update tasks set status = 'running', epoch = 7, attempt_id = id, attempt_count = 1
          where id = any($1::text[])`,
      ),
      named(
        'attempt',
        await copy('attempts', 'made_attempt', {
          id: 'u.id',
          task_id: 'u.id',
          status: `'claimed'`,
          ended_at: 'null',
        }),
      ),
      named('claimed', events(CLAIMED)),
    ],
    [
      named(
        'start',
        `update attempts set status = 'running', started_at = now() where id = any($1::text[])`,
      ),
      named('started_task', `update tasks set started_at = now() where id = any($1::text[])`),
      named('started', events(STARTED)),
    ],
    [
      named(
        'end',
        `update attempts set status = 'succeeded', ended_at = now() where id = any($1::text[])`,
      ),
      named(
        'ended_task',
        `update tasks set status = 'completed', ended_at = now() where id = any($1::text[])`,
      ),
      named('ended', events(ENDED)),
    ],
  ];
}
