import { expect, test } from 'vitest';
import { classifyFailure, resetSecondsIn } from './failure.ts';

test.each([
  ['quota', 402, 'scripted failure'],
  ['quota', 400, 'Credit balance is too low'],
  ['quota', 429, 'You exceeded your current quota (insufficient_quota)'],
  ['rate_limited', 429, 'scripted failure'],
  ['rate_limited', 529, 'Overloaded'],
  ['rate_limited', undefined, 'exceeded retry limit, last status: 429 Too Many Requests'],
  ['rate_limited', undefined, 'Claude AI usage limit reached|1795147824'],
  ['rate_limited', undefined, "You've hit your session limit"],
  ['auth', 401, 'scripted failure'],
  ['auth', undefined, 'Not logged in · Please run /login'],
  ['auth', undefined, 'Missing environment variable: `FAKE_API_KEY`.'],
  ['auth', undefined, 'unexpected status 401 Unauthorized'],
  ['agent_error', 500, 'scripted failure'],
  ['agent_error', undefined, 'stream disconnected before completion'],
] as const)('%s: %s %s', (expected, status, text) => {
  expect(classifyFailure({ status, text })).toBe(expected);
});

test('the end of a limit is read where the message tells it', () => {
  expect(resetSecondsIn('Claude AI usage limit reached|1795147824')).toBe(1_795_147_824);
  expect(resetSecondsIn('{"error":{"resets_at":1795147824}}')).toBe(1_795_147_824);
  expect(resetSecondsIn('try later')).toBeUndefined();
});
