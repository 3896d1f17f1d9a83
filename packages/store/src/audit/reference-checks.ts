import type { AuditCheck } from './audit-check.ts';

/** A table whose rows belong to a row of another: `via` names it, `null` is nobody. */
interface Reference {
  readonly table: string;
  readonly key: string;
  readonly via: string;
  readonly owner: string;
  /** Columns that both rows have and that must be the same. */
  readonly same: readonly string[];
}

const home = ['project_id', 'run_id'] as const;
const REFERENCES: readonly Reference[] = [
  { table: 'tasks', key: 'id', via: 'run_id', owner: 'runs', same: ['project_id'] },
  { table: 'dependencies', key: 'id', via: 'run_id', owner: 'runs', same: ['project_id'] },
  { table: 'attempts', key: 'id', via: 'task_id', owner: 'tasks', same: home },
  { table: 'outputs', key: 'id', via: 'attempt_id', owner: 'attempts', same: ['task_id', ...home] },
  {
    table: 'artifacts',
    key: 'id',
    via: 'attempt_id',
    owner: 'attempts',
    same: ['task_id', ...home],
  },
  { table: 'notes', key: 'id', via: 'task_id', owner: 'tasks', same: home },
  { table: 'awaits', key: 'id', via: 'task_id', owner: 'tasks', same: home },
  {
    table: 'actions',
    key: 'id',
    via: 'attempt_id',
    owner: 'attempts',
    same: ['task_id', ...home],
  },
  { table: 'checkpoints', key: 'id', via: 'run_id', owner: 'runs', same: ['project_id'] },
  { table: 'checkpoints', key: 'id', via: 'task_id', owner: 'tasks', same: home },
  { table: 'checkpoints', key: 'id', via: 'attempt_id', owner: 'attempts', same: home },
  { table: 'timers', key: 'id', via: 'run_id', owner: 'runs', same: ['project_id'] },
  { table: 'ready', key: 'task_id', via: 'run_id', owner: 'runs', same: ['project_id'] },
  { table: 'log_heads', key: 'attempt_id', via: 'attempt_id', owner: 'attempts', same: [] },
  {
    table: 'log_chunks',
    key: 'attempt_id',
    via: 'attempt_id',
    owner: 'attempts',
    same: ['run_id'],
  },
];

/** Nothing refers to what is not there; nothing of a purged run is left behind. */
export const REFERENCE_CHECKS: readonly AuditCheck[] = [
  ...REFERENCES.map(referenceCheck),
  {
    id: 'task-spec',
    invariant: 'A49',
    words: 'Every task has its cold half, and every cold half its task.',
    sql: `
      select coalesce(t.id, s.task_id) as subject,
             case when s.task_id is null then 'a task without a spec'
                  when t.id is null then 'a spec without a task'
                  else 'a spec of another run' end as found
        from tasks t
        full join task_specs s
          on s.task_id = t.id
       where t.id is null
          or s.task_id is null
          or s.run_id <> t.run_id
          or s.project_id <> t.project_id`,
  },
  {
    id: 'live-worker',
    invariant: 'A49',
    words: 'An attempt that is at work is held by a worker that is known.',
    sql: `
      select a.id as subject, a.status || ' on ' || a.worker_id || ', which is not there' as found
        from attempts a
        left join workers w
          on w.id = a.worker_id
       where a.ended_at is null
         and a.status <> 'stopping'
         and w.id is null`,
  },
];

function referenceCheck({ table, key, via, owner, same }: Reference): AuditCheck {
  const differs = same.map((column) => `\n          or o.${column} <> t.${column}`).join('');
  return {
    id: `${table.replaceAll('_', '-')}-${via.replaceAll('_', '-')}`,
    invariant: 'A49',
    words: `The ${via} of ${table} is a row of ${owner} that agrees with it.`,
    sql: `
      select t.${key}::text as subject, '${via} ' || t.${via}
               || case when o.id is null then ' is not there' else ' is of another home' end as found
        from ${table} t
        left join ${owner} o
          on o.id = t.${via}
       where t.${via} is not null
         and (o.id is null${differs})`,
  };
}
