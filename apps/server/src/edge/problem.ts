import type { AppError } from '@baton/contract';
import { ERROR_CODES, type ErrorCode, type Problem } from '@baton/contract';
import { InvalidInput } from './violations.ts';

/** The problem document of an expected failure. `instance` is the id of the request. */
export function problemOf(error: AppError, instance: string): Problem {
  const row = ERROR_CODES[error.code];
  return {
    type: 'about:blank',
    title: titleOf(error.code),
    status: row.status,
    code: error.code,
    detail: error.message,
    instance,
    retry: row.retry,
    facts: factsOf(error),
    ...(error instanceof InvalidInput ? { violations: error.violations } : {}),
  };
}

/** What a user is told of a bug: nothing but the id under which the log has it whole. */
export function internalProblem(instance: string): Problem {
  return {
    type: 'about:blank',
    title: titleOf('internal'),
    status: 500,
    code: 'internal',
    detail: `Something went wrong here; the log of the control plane has it under ${instance}.`,
    instance,
    retry: false,
    facts: {},
  };
}

/** Answers with a problem document. */
export function problemResponse(problem: Problem): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (problem.retry) headers.set('retry-after', '1');
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer realm="baton"');
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** Facts about a failure as JSON; the same on the worker link. */
export function factsOf(error: AppError): Problem['facts'] {
  return Object.fromEntries(
    Object.entries(error.publicDetail).map(([key, value]) => [
      key,
      typeof value === 'object' ? [...value] : value,
    ]),
  );
}

function titleOf(code: ErrorCode): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
