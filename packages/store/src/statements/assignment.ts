import type { AssignmentRows, TableName, Tables } from '@baton/kernel';
import { z } from 'zod';
import type { Db, Queries } from '../db.ts';
import { bind, statement, type Bound, type Statement } from '../statement.ts';
import { TABLES } from '../tables.ts';

type OfAttempt<T extends TableName> = Statement<[attempt: string], Tables[T]>;

const TASK = '(select task_id from attempts where id = $1)';
const UPSTREAM = `(select upstream_id from dependencies where downstream_id = ${TASK})`;

function ofAttempt<T extends TableName>(name: string, table: T, where: string): OfAttempt<T> {
  return statement({
    name: `assignment_${name}`,
    args: (attempt: string) => [attempt],
    row: TABLES[table].row,
    sql: `
    select ${TABLES[table].select('t')}
      from ${TABLES[table].sqlName} t
     where ${where}
     limit 100000`,
  });
}

/** Each takes the attempt's id, so that all of them are one round trip. */
export const ASSIGNMENT_STATEMENTS = {
  attempt: ofAttempt('attempt', 'attempts', 't.id = $1'),
  task: ofAttempt('task', 'tasks', `t.id = ${TASK}`),
  spec: ofAttempt('spec', 'taskSpecs', `t.task_id = ${TASK}`),
  run: ofAttempt('run', 'runs', 't.id = (select run_id from attempts where id = $1)'),
  edgesIn: ofAttempt('edgesIn', 'dependencies', `t.downstream_id = ${TASK}`),
  upstreamTasks: ofAttempt('upstreamTasks', 'tasks', `t.id in ${UPSTREAM}`),
  upstreamAttempts: ofAttempt(
    'upstreamAttempts',
    'attempts',
    `t.id in (select result_attempt_id from tasks where id in ${UPSTREAM})
        or t.id = (select verifies ->> 'attempt' from tasks where id = ${TASK})`,
  ),
  upstreamOutputs: ofAttempt('upstreamOutputs', 'outputs', `t.task_id in ${UPSTREAM}`),
  upstreamArtifacts: ofAttempt(
    'upstreamArtifacts',
    'artifacts',
    `t.kind = 'bundle'
       and t.task_id in ${UPSTREAM}`,
  ),
  saved: ofAttempt(
    'saved',
    'artifacts',
    `t.task_id = ${TASK}
       and t.attempt_id = (select manifest -> 'continue' ->> 'attempt' from attempts where id = $1)
       and t.meta ->> 'saved' = 'true'`,
  ),
  notes: ofAttempt('notes', 'notes', `t.task_id = ${TASK}`),
  decided: ofAttempt(
    'decided',
    'checkpoints',
    `t.task_id = ${TASK}
       and t.status in ('resolved', 'timed_out')`,
  ),
  previous: ofAttempt(
    'previous',
    'attempts',
    `t.id = (select before.id
                    from attempts now
                    join attempts before
                      on before.task_id = now.task_id
                     and before.epoch < now.epoch
                   where now.id = $1
                   order by before.epoch desc
                   limit 1)`,
  ),
};

/** Bytes of an upstream's output that are searched for its last lines. */
const TAIL_BYTES = 64 * 1024;

export const logTailStatement = statement({
  name: 'logTail',
  args: (attempts: readonly string[]) => [attempts, TAIL_BYTES],
  row: z.strictObject({
    attemptId: z.string(),
    data: z.custom<Uint8Array>((it) => it instanceof Uint8Array),
  }),
  sql: `
    select c.attempt_id as "attemptId", c.data
      from (select p.attempt_id, p.start_offset, p.data,
                   sum(octet_length(p.data)) over (partition by p.attempt_id
                                                   order by p.start_offset desc)
                     - octet_length(p.data) as behind
              from log_chunks p
             where p.attempt_id = any($1::text[])
               and p.stream = 'stdout') as c
     where c.behind < $2
     order by c.attempt_id, c.start_offset`,
});

/** What the assignment of an attempt is made of, of one moment; undefined when there is no such attempt. */
export function loadAssignmentRows(db: Db, attempt: string): Promise<AssignmentRows | undefined> {
  return db.readSnapshot(async (queries) => {
    const ask = <T extends TableName>(asked: OfAttempt<T>): Bound<Tables[T]> =>
      bind(asked, attempt);
    const all = ASSIGNMENT_STATEMENTS;
    const [
      [attemptRow],
      [task],
      [spec],
      [run],
      edgesIn,
      upstreamTasks,
      upstreamAttempts,
      upstreamOutputs,
      upstreamArtifacts,
      saved,
      notes,
      decided,
      [previousAttempt],
    ] = await queries.pipeline([
      ask(all.attempt),
      ask(all.task),
      ask(all.spec),
      ask(all.run),
      ask(all.edgesIn),
      ask(all.upstreamTasks),
      ask(all.upstreamAttempts),
      ask(all.upstreamOutputs),
      ask(all.upstreamArtifacts),
      ask(all.saved),
      ask(all.notes),
      ask(all.decided),
      ask(all.previous),
    ]);
    if (attemptRow === undefined || task === undefined) return undefined;
    if (spec === undefined || run === undefined) return undefined;
    const lines = spec.spec.dependency_log_lines;
    return {
      attempt: attemptRow,
      task,
      spec,
      run,
      edgesIn,
      upstreamTasks,
      upstreamAttempts,
      upstreamOutputs,
      upstreamArtifacts,
      saved,
      notes,
      decided,
      previousAttempt: previousAttempt ?? null,
      ...(lines > 0 ? { logTails: await loadLogTails(queries, upstreamAttempts, lines) } : {}),
    };
  });
}

/** The last lines of what upstream attempts wrote to their standard output, by task. */
async function loadLogTails(
  queries: Queries,
  upstream: readonly Tables['attempts'][],
  lines: number,
): Promise<Record<string, string[]>> {
  const chunks = await queries.query(
    logTailStatement,
    upstream.map((it) => it.id),
  );
  return Object.fromEntries(
    upstream.map(({ id, taskId }) => {
      const pieces = chunks.filter((it) => it.attemptId === id).map((it) => it.data);
      const text = Buffer.concat(pieces).toString().replace(/\n$/, '');
      return [taskId, text === '' ? [] : text.split('\n').slice(-lines)];
    }),
  );
}
