// The auditor against a real state, and against that state with one thing made wrong at a time.
import { AUDIT_CHECKS, auditDatabase, runCheck, type AdminSession } from '@baton/store';
import { freshDatabases, type OpenDatabase } from '@baton/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBusyState } from './testing/busy-state.ts';

/**
 * What makes each check fail: SQL that changes stored rows behind the back of the kernel, after taking
 * away the constraint that would refuse it where there is one.
 */
const MUTANTS: Readonly<Record<string, string>> = {
  'one-live-attempt': `
    drop index attempts_one_open;
    alter table attempts alter column is_current drop expression;
    insert into attempts select (jsonb_populate_record(a, '{"id": "att_twin", "epoch": 999}')).*
      from attempts a where status = 'parked'`,
  'epoch-once': `
    drop index attempts_of_task;
    alter table attempts alter column is_current drop expression;
    insert into attempts select (jsonb_populate_record(a, '{"id": "att_twin"}')).*
      from attempts a where status = 'succeeded'`,
  'attempt-end': `
    alter table attempts drop constraint attempts_end;
    update attempts set ended_at = null where status = 'failed'`,
  'task-epoch': `update tasks set epoch = epoch + 1 where key = 'build'`,
  'running-attempt': `update attempts set status = 'lost', ended_at = now() where status = 'running'`,
  'parked-attempt': `update attempts set status = 'parked' where status = 'running'`,
  'task-attempt': `update tasks set result_attempt_id = 'att_gone' where key = 'design'`,
  pending: `update tasks set pending = 2 where key = 'ship'`,
  blocked: `update tasks set pending = 0 where key = 'ship'`,
  'edge-satisfied': `update dependencies set satisfied = not satisfied where type = 'blocks'`,
  'gate-satisfied': `
    update dependencies set type = 'gate', satisfied = true
     where upstream_id = (select id from tasks where key = 'build')`,
  'edge-ends': `update dependencies set upstream_id = 'task_gone' where type = 'input'`,
  acyclic: `
    insert into dependencies
    select (jsonb_populate_record(d, jsonb_build_object('id', 'dep_back',
             'upstream_id', (select id from tasks where key = 'ship'),
             'downstream_id', (select id from tasks where key = 'design')))).*
      from dependencies d where type = 'input'`,
  'run-counters': `update runs set active_tasks = 0, open_tasks = open_tasks - 1`,
  'run-active': `update runs set active_tasks = active_tasks - 1`,
  'run-people': `update runs set needs_human = needs_human + 1`,
  'run-end': `
    alter table runs drop constraint runs_end;
    update runs set ended_at = now()`,
  'ended-run': `update runs set status = 'completed', ended_at = now()`,
  'run-in-play': `update runs set status = 'waiting', out_of_play = open_tasks`,
  'out-of-play': `update tasks set out_of_play = true where key = 'ship'`,
  'ready-row': `delete from ready`,
  'ready-same': `update ready set held = 'backoff'`,
  'needs-row': `delete from needs`,
  'open-checkpoint': `update tasks set checkpoint_id = null where key = 'asking'`,
  'closed-checkpoint': `update checkpoints set resolution = '{"option": "yes"}' where status = 'open'`,
  'timer-purpose': `
    update attempts set status = 'cancelled', ended_at = now() where status = 'stopping'`,
  'stopping-deadline': `delete from timers`,
  'limit-places': `
    insert into limits (id, project_id, key, max_running, burst, tat, updated_at)
    values ('prj/x', 'prj', 'x', 2, 1, 0, now())`,
  'limit-holder': `
    insert into limit_slots (id, project_id, limit_id, no, attempt_id, task_id, surplus)
    values ('prj/x#1', 'prj', 'prj/x', 1, 'att_gone', 'task_gone', false)`,
  'limit-held': `
    update attempts set holds = '{"slots": ["prj/x#1"], "budgets": [], "reserved": 0}'
     where status = 'running'`,
  'budget-reserved': `
    insert into budgets (id, project_id, scope, limit_micros, spent_micros, reserved_micros,
                         reserve_micros, warned)
    values ('prj', 'prj', 'project', 9, 0, 5, 1, false)`,
  'old-keys': `
    insert into idempotency_keys (scope, key, request_sha256, reply, created_at)
    values ('key_1', 'old', 'x', '{}', now() - interval '9 days')`,
  'pos-dense': `delete from events where pos = 5`,
  'run-seq-dense': `update runs set seq = seq + 1`,
  'event-time': `update events set at = at - interval '1 hour' where pos = (select max(pos) from events)`,
  'consumer-cursor': `
    insert into consumers (name, incarnation, pos, updated_at)
    select 'ahead', incarnation, next_pos, now() from feed`,
  'log-order': `delete from log_chunks where start_offset = 0`,
  'tasks-run-id': `update tasks set run_id = 'run_gone' where key = 'queued'`,
  'dependencies-run-id': `update dependencies set run_id = 'run_gone' where type = 'input'`,
  'attempts-task-id': `update attempts set project_id = 'prj_other' where status = 'failed'`,
  'outputs-attempt-id': `update outputs set attempt_id = 'att_gone'`,
  'artifacts-attempt-id': `update artifacts set attempt_id = 'att_gone'`,
  'notes-task-id': `update notes set task_id = 'task_gone'`,
  'checkpoints-run-id': `update checkpoints set run_id = 'run_gone'`,
  'checkpoints-task-id': `update checkpoints set task_id = 'task_gone' where status = 'open'`,
  'checkpoints-attempt-id': `update checkpoints set attempt_id = 'att_gone'`,
  'timers-run-id': `update timers set run_id = 'run_gone'`,
  'ready-run-id': `update ready set run_id = 'run_gone'`,
  'log-heads-attempt-id': `update log_heads set attempt_id = 'att_gone'`,
  'log-chunks-attempt-id': `update log_chunks set run_id = 'run_gone'`,
  'open-await': `update tasks set reason = 'await' where key = 'asking'`,
  'counted-awaits': `update runs set open_awaits = open_awaits + 1`,
  'awaits-task-id': `
    insert into awaits (id, project_id, run_id, task_id, attempt_id, generation, tasks, crosses_runs,
                        policy, needed, status, settled, partial, results, deadline_at, opened_at)
    values ('awt_gone', 'prj_gone', 'run_gone', 'task_gone', 'att_gone', 1, '[]', false,
            'all', 1, 'open', false, false, '[]', now(), now())`,
  'actions-attempt-id': `
    insert into actions (id, project_id, run_id, task_id, attempt_id, call, kind, name, target, effect,
                         status, refs, started_at, ended_at)
    values ('att_gone/1', 'prj_gone', 'run_gone', 'task_gone', 'att_gone', '1', 'tool_call', 'Read', '',
            'local_read', 'succeeded', '{}', now(), now())`,
  'task-spec': `delete from task_specs where title is not null`,
  'live-worker': `delete from workers`,
};

for (const database of freshDatabases()) {
  describe.skipIf(database.isSkipped)(`the auditor on ${database.title}`, () => {
    let opened: OpenDatabase;
    beforeAll(async () => {
      opened = await database.open();
      await makeBusyState(opened.db);
    });
    afterAll(() => opened?.close());

    /** What a check finds after some SQL, which is undone. */
    async function foundAfter(sql: string, id: string): Promise<number> {
      const check = AUDIT_CHECKS.find((it) => it.id === id);
      if (check === undefined) throw new Error(`no check ${id}`);
      const look = async (admin: AdminSession): Promise<number> => {
        await admin.script('begin');
        try {
          await admin.script(sql);
          return (await runCheck(admin, check)).count;
        } finally {
          await admin.script('rollback');
        }
      };
      return opened.db.exclusive(look);
    }

    test('finds nothing in a state that the kernel made', async () => {
      const findings = await auditDatabase(opened.db);
      expect(findings.filter((it) => it.count > 0)).toEqual([]);
      expect(findings).toHaveLength(AUDIT_CHECKS.length);
    });

    test('has names of their own for its checks', () => {
      expect(new Set(AUDIT_CHECKS.map((it) => it.id)).size).toBe(AUDIT_CHECKS.length);
    });

    test.each(AUDIT_CHECKS.map((it) => it.id))('%s catches its mutant', async (id) => {
      const mutant = MUTANTS[id];
      if (mutant === undefined) throw new Error(`${id} has no mutant`);
      expect(await foundAfter(mutant, id)).toBeGreaterThan(0);
    });
  });
}
