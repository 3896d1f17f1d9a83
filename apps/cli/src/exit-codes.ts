import { AppError, ERROR_CODES, type ErrorCode } from '@baton/contract';

/** What the program's exit code tells a script. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done as asked' },
  failed: { code: 1, meaning: 'the work was done and failed: a run, task or check ended badly' },
  usage: { code: 2, meaning: 'the command line, configuration or request is not understood' },
  not_found: { code: 3, meaning: 'what was named does not exist' },
  auth: { code: 4, meaning: 'no valid key, or one that may not do this' },
  conflict: {
    code: 5,
    meaning: 'the state does not allow it: already decided, ended, taken, in use',
  },
  refused: {
    code: 6,
    meaning: 'understood but not valid: a cycle, an unknown engine, a bad schema',
  },
  unavailable: { code: 69, meaning: 'the control plane cannot be reached or cannot answer now' },
  internal: { code: 70, meaning: 'a fault of the program; its log has more' },
  timeout: { code: 75, meaning: 'not yet: the time to wait is over, ask again' },
  interrupted: { code: 130, meaning: 'ended by Ctrl-C' },
} as const;

/** The names of the exits. */
export type ExitName = keyof typeof EXIT_CODES;

const EXIT_OF_STATUS: Readonly<Record<number, ExitName>> = {
  400: 'usage',
  401: 'auth',
  403: 'auth',
  404: 'not_found',
  405: 'usage',
  409: 'conflict',
  413: 'refused',
  415: 'usage',
  421: 'auth',
  422: 'refused',
  429: 'unavailable',
  500: 'internal',
  503: 'unavailable',
  504: 'timeout',
};

/** Codes whose status says something else than what a script wants to know. */
const EXIT_OF_CODE: Partial<Record<ErrorCode, ExitName>> = {
  bad_config: 'usage',
};

/** The exit of an error code; from its HTTP status unless it has its own. */
export function exitOfCode(code: ErrorCode): ExitName {
  return EXIT_OF_CODE[code] ?? EXIT_OF_STATUS[ERROR_CODES[code].status] ?? 'internal';
}

/** The exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  return EXIT_CODES[error instanceof AppError ? exitOfCode(error.code) : 'internal'].code;
}
