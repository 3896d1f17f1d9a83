import type { FailureClass } from '@baton/contract';

/** Signs of a failure, most telling first. A row fits when its status or its words do. */
interface FailureSign {
  readonly failureClass: FailureClass;
  readonly statuses: readonly number[];
  readonly words: RegExp;
}

const signs: readonly FailureSign[] = [
  {
    // An account without money: no time helps, a person must act.
    failureClass: 'quota',
    statuses: [402],
    words:
      /credit balance|insufficient[_ ](quota|credits?|funds)|exceeded your current quota|billing[_ ]|payment required|out of credits/i,
  },
  {
    failureClass: 'rate_limited',
    statuses: [429, 529],
    words:
      /rate[_ -]?limit|too many requests|usage limit|hit your (session |weekly |5-hour )?limit|overloaded|high demand|\b429\b/i,
  },
  {
    failureClass: 'auth',
    statuses: [401, 403],
    words:
      /not logged in|please run \/login|invalid (api|x-api)[ -]?key|incorrect api key|authenticat|unauthori[sz]ed|login (has )?expired|missing environment variable: `?\w*(key|token)|\b401\b|forbidden|account_on_hold/i,
  },
];

/**
 * The class of a failure that an agent program reported about its provider or itself.
 * `agent_error` when nothing tells more.
 */
export function classifyFailure(report: {
  readonly status?: number | undefined;
  readonly text: string;
}): FailureClass {
  const byStatus = signs.find((sign) => sign.statuses.includes(report.status ?? 0));
  // A billing message may come with any status, 400 and 429 among them.
  const byWords = signs.find((sign) => sign.words.test(report.text));
  if (byWords?.failureClass === 'quota') return 'quota';
  return (byStatus ?? byWords)?.failureClass ?? 'agent_error';
}

/** When a limit ends, from a message such as `usage limit reached|1795147824`; undefined if it does not say. */
export function resetSecondsIn(text: string): number | undefined {
  const found =
    /limit reached\|(\d{10})\b/.exec(text) ?? /resets?_at"?\s*[:=]\s*(\d{10})\b/.exec(text);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}
