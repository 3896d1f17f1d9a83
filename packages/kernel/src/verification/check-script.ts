import type { TaskSpec, VerificationPolicy } from '@baton/contract';

/** A script with this exit code says no; with any other but 0 the check itself went wrong. */
export const REJECTED_EXIT_CODE = 1;

/**
 * The commands of a policy as one script. It stops at the first that fails, names it, and shows what it
 * said. Each runs in a shell of its own, so that one that is no valid script is rejected like any other.
 */
export function checkScript(commands: readonly string[]): string {
  const steps = commands.map((command) => {
    const quoted = quote(command);
    return `printf '%s\\n' ${quote(`$ ${command}`)}
sh -c ${quoted} 2>&1 || { code=$?; printf '%s\\n' "exit code $code: "${quoted}; exit ${REJECTED_EXIT_CODE}; }`;
  });
  return `${steps.join('\n')}\n`;
}

/** What an agent that judges a task's result is asked. */
export function judgeSpec(
  judged: { readonly key: string; readonly title: string; readonly commit: string | null },
  spec: TaskSpec,
  { checks }: VerificationPolicy,
  summary: string,
): string {
  const parts = [
    `Judge whether the work on task ${judged.key} (${judged.title}) is good enough to be built on. ` +
      'You are not its author; do not change or repair it.',
    judged.commit === null
      ? 'What it handed on is in your inputs.'
      : `Its result is commit ${judged.commit}, which is checked out in your workspace.`,
    'End with status success to accept it. End with status failed to reject it, and say in the ' +
      'summary what must change, so that its author can go on from that. If you cannot judge it, ' +
      'end with status blocked.',
    `What was asked for:\n\n${spec.spec === '' ? judged.title : spec.spec}`,
  ];
  const criteria = spec.acceptance_criteria ?? [];
  if (criteria.length > 0) parts.push(`It must:\n\n${criteria.map((it) => `- ${it}`).join('\n')}`);
  if (summary !== '') parts.push(`What its author says about it:\n\n${summary}`);
  const { instructions } = checks.judge ?? { instructions: '' };
  if (instructions !== '') parts.push(instructions);
  return parts.join('\n\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
