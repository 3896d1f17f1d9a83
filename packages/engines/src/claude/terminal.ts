import type { FailureClass } from '@baton/contract';
import { classifyFailure, resetSecondsIn } from '../failure.ts';
import type { Terminal } from '../jsonl-reader.ts';
import { arrayOf, instantOfSeconds, numberOf, textOf } from '../loose-json.ts';
import type { LooseObject } from '../loose-json.ts';

/** What the program calls its provider errors, where the name says more than the text. */
const classByError: ReadonlyMap<string, FailureClass> = new Map([
  ['authentication_failed', 'auth'],
  ['oauth_org_not_allowed', 'auth'],
  ['account_on_hold', 'auth'],
  ['verification_required', 'auth'],
  ['cloud_credential_error', 'auth'],
  ['billing_error', 'quota'],
  ['rate_limit', 'rate_limited'],
  ['overloaded', 'rate_limited'],
]);

/**
 * How a `result` line says the turn ended. `subtype` is `success` even for a provider error: only
 * `is_error` counts.
 */
export function terminalOf(
  line: LooseObject,
  apiError: string | undefined,
  limitResetsAt: string | undefined,
): Terminal {
  const subtype = textOf(line['subtype']) ?? '';
  const errors = arrayOf(line['errors']).filter((error) => typeof error === 'string');
  const text = textOf(line['result']) ?? errors.join('\n');
  const isError = line['is_error'] === true || subtype.startsWith('error');
  if (!isError) return { ok: true, text };
  if (subtype === 'error_max_turns') {
    return { ok: false, text: text || subtype, failureClass: 'agent_error', reason: 'max_turns' };
  }
  const failureClass = classOf(line, subtype, text, apiError);
  return {
    ok: false,
    text: text === '' ? subtype : text,
    failureClass,
    reason: 'reported_error',
    ...(failureClass === 'rate_limited'
      ? { resetsAt: limitResetsAt ?? instantOfSeconds(resetSecondsIn(text)) }
      : {}),
  };
}

function classOf(
  line: LooseObject,
  subtype: string,
  text: string,
  apiError: string | undefined,
): FailureClass {
  if (subtype === 'error_max_budget_usd') return 'budget';
  // Only a provider error is told by its words: an agent may write about limits and keys.
  if (line['terminal_reason'] !== 'api_error' && apiError === undefined) return 'agent_error';
  const byText = classifyFailure({ status: numberOf(line['api_error_status']), text });
  return byText === 'quota' ? byText : (classByError.get(apiError ?? '') ?? byText);
}
