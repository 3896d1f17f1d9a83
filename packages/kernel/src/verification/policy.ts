import type { TaskSpec, VerificationCheck, VerificationPolicy } from '@baton/contract';
import type { Draft } from '../draft.ts';

/** The verification policy of a task, or null when its results count as they are. */
export function policyOf(draft: Draft, taskId: string): VerificationPolicy | null {
  return draft.get('taskSpecs', taskId).spec.verification ?? null;
}

/** The check that follows another one, in the order of `VERIFICATION_CHECKS`; null after the last. */
export function nextCheck(
  { checks }: VerificationPolicy,
  after: VerificationCheck | null,
): VerificationCheck | null {
  if (after === 'person') return null;
  const wanted: VerificationCheck[] = ['built_in'];
  if (checks.commands.length > 0) wanted.push('commands');
  if (checks.judge !== undefined) wanted.push('judge');
  if (checks.person !== undefined && checks.person !== false) wanted.push('person');
  return wanted[after === null ? 0 : wanted.indexOf(after) + 1] ?? null;
}

/** Why a task cannot have the verification policy that it asks for, or null. */
export function policyFault(
  spec: Pick<TaskSpec, 'kind' | 'outputs' | 'workspace' | 'verification'>,
): string | null {
  const checks = spec.verification?.checks;
  if (checks === undefined) return null;
  if (spec.kind === 'human' || spec.kind === 'join') {
    return `a ${spec.kind} task has no result that could be verified.`;
  }
  if (spec.kind === 'verify') return 'a verify task is itself a check; give it no verification.';
  const declared = spec.outputs.map((it) => it.key);
  const unknown = checks.outputs.find((key) => !declared.includes(key));
  if (unknown !== undefined) {
    const known = declared.length === 0 ? 'it declares none' : `declared: ${declared.join(', ')}`;
    return `its verification asks for the output ${unknown}; ${known}.`;
  }
  const looksInside = checks.commands.length > 0 || checks.judge !== undefined;
  if (looksInside && spec.workspace?.mode === 'in_place') {
    return 'work in place leaves no commit that commands or a judge could check; use a worktree.';
  }
  return null;
}
