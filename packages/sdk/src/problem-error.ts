import { AppError, ERROR_CODES, problem, type ErrorCode, type Problem } from '@baton/contract';

/** What stands for a status when the server names a code that this client does not know. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'bad_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'wrong_status',
  413: 'body_too_large',
  415: 'unsupported_media_type',
  421: 'foreign_host',
  422: 'bad_config',
  429: 'rate_limited',
  502: 'control_plane_unreachable',
  503: 'store_unavailable',
  504: 'timeout',
};

/**
 * The error for an answer that is not a success. Its `cause` is the problem document; `publicDetail`
 * carries `status`, the facts, and the violations as `place: what is wrong`.
 */
export async function errorOfResponse(response: Response): Promise<AppError> {
  const text = await response.text().catch(() => '');
  const parsed = problem.safeParse(parseJson(text));
  if (!parsed.success) {
    const code = CODE_OF_STATUS[response.status] ?? 'internal';
    const said = `${response.status} ${response.statusText}`.trim();
    return new AppError(code, `The server answered ${said} without saying why.`, {
      detail: { status: response.status },
    });
  }
  const document = parsed.data;
  const code = isErrorCode(document.code)
    ? document.code
    : (CODE_OF_STATUS[document.status] ?? 'internal');
  return new AppError(code, document.detail, {
    cause: document,
    detail: { ...factsOf(document), status: document.status },
  });
}

/** The error for a call that got no answer at all. */
export function unreachable(baseUrl: string, cause: unknown): AppError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = inner instanceof Error && inner.message !== '' ? ` (${inner.message})` : '';
  return new AppError(
    'control_plane_unreachable',
    `No answer from the control plane at ${baseUrl}${why}. Is it running? Start it with \`baton up\`.`,
    { cause },
  );
}

/** The problem document of an error: the one that was received, else one made from the error. */
export function problemOf(error: AppError): Problem {
  const received = problem.safeParse(error.cause);
  if (received.success) return received.data;
  const row = ERROR_CODES[error.code];
  const facts = Object.entries(error.publicDetail).map(
    ([key, value]) =>
      [key, typeof value === 'object' ? [...value] : value] satisfies [string, unknown],
  );
  return {
    type: 'about:blank',
    title: error.code.replaceAll('_', ' '),
    status: row.status,
    code: error.code,
    detail: error.message,
    retry: row.retry,
    facts: Object.fromEntries(facts),
  };
}

function factsOf(document: Problem): Record<string, string | number | boolean | readonly string[]> {
  const facts: Record<string, string | number | boolean | readonly string[]> = {};
  for (const [key, value] of Object.entries(document.facts)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      facts[key] = value;
    } else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      facts[key] = value;
    }
  }
  if (document.violations !== undefined) {
    facts['violations'] = document.violations.map(({ path, message }) => `${path}: ${message}`);
  }
  return facts;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
