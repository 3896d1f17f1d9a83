import type { Assignment, TaskPlan } from '@baton/contract';
import {
  buildPrompt,
  buildWakePrompt,
  wakeWords,
  type PromptInput,
  type WakeNews,
} from '@baton/engines';
import type { Workspace } from '../workspaces/workspace.ts';
import { findAssignment, type AttemptFiles } from './files.ts';
import { repairPrompt } from './repair.ts';
import { doorOf, engineOf, type TurnPrompt } from './launch.ts';

/** What the agent is told in its next turn: what is wrong with its result, or what it begins with. */
export function promptOfTurn(
  dataDir: string,
  it: Assignment,
  files: AttemptFiles,
  workspace: Workspace,
): TurnPrompt {
  const repair = files.repair();
  if (repair !== undefined) return { text: repairPrompt(it, repair), resume: repair.conversation };
  const before = it.continue === null ? undefined : findAssignment(dataDir, it.continue.attempt);
  return turnPrompt(it, workspace, before);
}

/**
 * What an agent is told at its start: in its old conversation, where that and its directory are on this
 * machine, only what has come since; else everything.
 */
export function turnPrompt(
  it: Assignment,
  workspace: Workspace,
  before: Assignment | undefined,
): TurnPrompt {
  const from = it.continue;
  const canResume =
    from !== null && workspace.continuedFrom === from.attempt && engineOf(it).traits.resume;
  if (canResume && from.conversation !== null) {
    const text = buildWakePrompt(from.wake, it.task.key, newsSince(it, before));
    return { text, resume: from.conversation };
  }
  return { text: promptOf(it, workspace), resume: it.conversation };
}

/** What the conversation has not heard of: the attempt that it stopped in knew `before`. */
function newsSince(it: Assignment, before: Assignment | undefined): WakeNews {
  const known = (before?.notes ?? []).map((note) => `${note.author}\n${note.text}`);
  const notes = it.notes.filter((note) => {
    const at = known.indexOf(`${note.author}\n${note.text}`);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
  const { spec } = it.task.spec;
  const isChanged = before !== undefined && before.task.spec.spec !== spec;
  return { notes, ...(isChanged ? { spec } : {}) };
}

/** Whether a plan is still to be approved before anything is changed. */
function plansFirst(it: Assignment): boolean {
  if (it.task.spec.approval?.plan !== true) return false;
  return it.plan?.state !== 'approved' || it.plan.generation !== it.attempt.generation;
}

function planFacts(plan: TaskPlan): NonNullable<PromptInput['plan']> {
  return {
    text: plan.text,
    isApproved: plan.state === 'approved',
    ...(plan.feedback === null ? {} : { feedback: plan.feedback }),
  };
}

/** The prompt of an attempt, built from its assignment each time. */
export function promptOf(it: Assignment, workspace: Workspace): string {
  const { spec } = it.task;
  const typeOf = (name: string): string => (name in it.inputs ? 'contract' : 'json');
  const conflict = workspace.conflict;
  const input: PromptInput = {
    goal: it.run.goal,
    taskId: it.task.id,
    key: it.task.key,
    title: it.task.title,
    kind: spec.kind,
    report: doorOf(it, workspace) === 'none' ? 'files' : 'commands',
    commits: engineOf(it).traits.commits,
    spec: spec.spec,
    acceptanceCriteria: spec.acceptance_criteria ?? [],
    allowedPaths: spec.workspace?.allowed_paths ?? [],
    outputs: spec.outputs,
    inputs: Object.entries(it.inputs).map(([name, data]) => ({
      name,
      type: typeOf(name),
      path: `.baton/inputs/${name}.json`,
      json: JSON.stringify(data, null, 2),
    })),
    upstream: it.upstream.map((up) => ({
      key: up.key,
      title: up.key,
      status: up.status,
      summary: up.summary,
    })),
    dependencyLogs: it.upstream
      .filter((up) => up.log_tail.length > 0)
      .map((up) => ({ key: up.key, lines: up.log_tail })),
    notes: it.notes,
    hints:
      conflict === null
        ? []
        : [
            `The work of ${conflict.sides.map((side) => side.key).join(' and ')} does not fit together: resolve the markers in ${conflict.files.join(', ')} first.`,
          ],
    planFirst: plansFirst(it),
    decisions: it.decisions,
    ...(it.plan === null ? {} : { plan: planFacts(it.plan) }),
    ...(it.continue === null
      ? {}
      : {
          wake: {
            words: wakeWords(it.continue.wake),
            isWorkHere: [workspace.continuedFrom, workspace.restoredFrom].includes(
              it.continue.attempt,
            ),
          },
        }),
    ...(spec.role === undefined ? {} : { role: spec.role }),
    ...(spec.structured_spec === undefined ? {} : { structuredSpec: spec.structured_spec }),
    ...(it.feedback === null ? {} : { feedback: it.feedback }),
    ...(it.last_failure === null
      ? {}
      : {
          lastFailure: {
            attemptNumber: Math.max(1, it.attempt.number - 1),
            failureClass: it.last_failure.failure_class,
            reason: it.last_failure.reason,
          },
        }),
  };
  return buildPrompt(input);
}
