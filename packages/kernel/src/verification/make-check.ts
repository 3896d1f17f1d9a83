import { LIMITS, taskSpec, type TaskSpec, type VerificationPolicy } from '@baton/contract';
import type { Draft } from '../draft.ts';
import { needsIdOf } from '../matching/hard-needs.ts';
import type { AttemptRow, TaskRow } from '../rows.ts';
import { insertTask } from '../task/change-task.ts';
import { newTask, putEdge, tellCreated } from '../task/new-task.ts';
import { openTask, statusWhenOpen } from '../task/open-task.ts';
import { checkScript, judgeSpec } from './check-script.ts';

/** A check that fails by itself is tried this often; its failure is no verdict. */
const checkAttemptsMax = 3;
const checkBackoffSeconds = 5;

/**
 * Makes the task that checks an attempt's result by commands or by an agent. It is fenced, leased and
 * tried again like any task; nothing depends on it. Answers its id.
 */
export function makeCheck(
  draft: Draft,
  judged: TaskRow,
  attempt: AttemptRow,
  check: 'commands' | 'judge',
): string {
  const cold = draft.get('taskSpecs', judged.id);
  const commit = attempt.result?.commit?.commit ?? null;
  const spec = specOf(cold.spec, check, () =>
    judgeSpec(
      { key: judged.key, title: cold.title, commit },
      cold.spec,
      policyIn(cold.spec),
      attempt.result?.summary ?? '',
    ).slice(0, LIMITS.specCharsMax),
  );
  const run = draft.get('runs', judged.runId);
  const id = draft.newId('task');
  const made = newTask(draft, run, {
    id,
    key: keyOf(judged.key, check, id),
    position: run.taskCount,
    spec: { ...spec, title: check === 'judge' ? `Judge ${judged.key}` : `Check ${judged.key}` },
    needsId: needsIdOf(draft, spec, null),
    pending: 0,
    verifies: {
      task: judged.id,
      attempt: attempt.id,
      generation: judged.generation,
      commit,
      check,
    },
  });
  insertTask(draft, made.task, made.cold);
  tellCreated(draft, made.cold, made.task.key, statusWhenOpen(made.task, spec, run.policy));
  putEdge(draft, run, judged.id, id, { type: 'related', on: 'success' });
  openTask(draft, id);
  return id;
}

function policyIn(spec: TaskSpec): VerificationPolicy {
  const { verification } = spec;
  if (verification === undefined) throw new TypeError('a check without a policy');
  return verification;
}

function specOf(of: TaskSpec, check: 'commands' | 'judge', judge: () => string): TaskSpec {
  const { checks, timeout_seconds: run } = policyIn(of);
  const { engine, model, worker } = checks.judge ?? {};
  const needs =
    check === 'commands'
      ? { ...of.needs, engine: 'shell' }
      : { engine, model, worker, selector: of.needs.selector, repo: of.needs.repo };
  return taskSpec.parse({
    kind: 'verify',
    role: 'verifier',
    spec: check === 'commands' ? checkScript(checks.commands) : judge(),
    priority: of.priority,
    needs: Object.fromEntries(Object.entries(needs).filter(([, value]) => value !== undefined)),
    ...(of.workspace === undefined
      ? {}
      : {
          workspace: {
            ...of.workspace,
            base: 'upstream',
            on_retry: 'fresh',
            allowed_paths: undefined,
          },
        }),
    ...(of.env === undefined ? {} : { env: of.env }),
    retry: { max_attempts: checkAttemptsMax, backoff_seconds: checkBackoffSeconds },
    timeouts: { run },
    lease_seconds: of.lease_seconds,
    ...(of.permissions === undefined ? {} : { permissions: of.permissions }),
  });
}

/** The end of an id is random, so that no other key need be looked at. */
function keyOf(judged: string, check: 'commands' | 'judge', id: string): string {
  const word = check === 'judge' ? 'judge' : 'check';
  const end = id
    .slice(-8)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0');
  return `${word}-${judged.slice(0, 48)}-${end}`;
}
