import type { Assignment } from '@baton/contract';
import { buildPrompt, type PromptInput } from '@baton/engines';
import type { Workspace } from '../workspaces/workspace.ts';
import { doorOf, engineOf } from './launch.ts';

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
    planFirst: false,
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
