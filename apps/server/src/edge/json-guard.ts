import { AppError } from '@baton/contract';

const depthMax = 64;
/** Values in a body of at most 1 MiB, and in a submission: more would hold up everybody else. */
const valuesMax = 100_000;
const valuesOfSubmissionMax = 2_000_000;

/**
 * Parses a JSON body. Refused are: invalid UTF-8, nesting beyond 64, too many values, U+0000 and lone
 * surrogates in any text (the database can hold neither), and `__proto__` as a name.
 * @throws {AppError} bad_request, body_too_large
 */
export function parseJson(bytes: Uint8Array, large: boolean): unknown {
  const text = decodeUtf8(bytes);
  checkShape(bytes, large ? valuesOfSubmissionMax : valuesMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('bad_request', `The body is not valid JSON: ${wordsOf(error)}`, {
      cause: error,
    });
  }
  // Only an escape can bring these in, so that most bodies are not walked through.
  if (/\\u(?:0000|[dD][89a-fA-F])|__proto__|\\u005[fF]/.test(text)) checkTexts(value);
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError('bad_request', 'The body is not valid UTF-8.', { cause: error });
  }
}

const quote = 0x22;
const backslash = 0x5c;
const openers = new Set([0x5b, 0x7b]);
const closers = new Set([0x5d, 0x7d]);
const comma = 0x2c;

/** Counts nesting and values without recursion and before anything is built. */
function checkShape(bytes: Uint8Array, max: number): void {
  let depth = 0;
  let values = 1;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (inText) {
      if (byte === backslash) i++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) {
      inText = true;
    } else if (byte === comma) {
      values++;
    } else if (openers.has(byte)) {
      values++;
      depth++;
      if (depth > depthMax) {
        throw new AppError('bad_request', `The body is nested deeper than ${depthMax} levels.`);
      }
    } else if (closers.has(byte)) {
      depth--;
    }
  }
  if (values > max) {
    throw new AppError('body_too_large', `The body has more than ${max} values; send it in parts.`);
  }
}

function checkTexts(root: unknown): void {
  const todo: unknown[] = [root];
  for (let value = todo.pop(); value !== undefined || todo.length > 0; value = todo.pop()) {
    if (typeof value === 'string') checkText(value);
    else if (Array.isArray(value)) for (const item of value) todo.push(item);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        if (key === '__proto__') {
          throw new AppError('bad_request', '`__proto__` is not allowed as a name.');
        }
        checkText(key);
        todo.push(item);
      }
    }
  }
}

/**
 * Refuses text that the database cannot hold.
 * @throws {AppError} bad_request
 */
export function checkText(text: string): void {
  if (text.includes('\u0000')) {
    throw new AppError('bad_request', 'Text with the character U+0000 cannot be stored.');
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new AppError('bad_request', 'Text with half a surrogate pair cannot be stored.');
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unreadable';
}
