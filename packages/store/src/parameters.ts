/** What is sent for one parameter; strings are PostgreSQL's text form. */
export type WireValue = string | Buffer | null;

/**
 * Epoch milliseconds as a timestamptz parameter (ISO text); Infinity means never.
 * Null stays null, and a list becomes a timestamptz[].
 */
export function toTimestamptz(atMs: number): string;
export function toTimestamptz(atMs: number | null | undefined): string | null;
export function toTimestamptz(atMs: number | null | undefined): string | null {
  if (atMs === null || atMs === undefined) return null;
  if (atMs === Infinity) return 'infinity';
  if (atMs === -Infinity) return '-infinity';
  // A batch has one clock, so nearly every instant of it is the one before.
  if (atMs !== lastInstant.atMs) lastInstant = { atMs, text: new Date(atMs).toISOString() };
  return lastInstant.text;
}

let lastInstant = { atMs: 0, text: new Date(0).toISOString() };

/** A value as json text, for json and jsonb parameters; needed for arrays, which mean SQL arrays else. */
export function toJson(value: unknown): string {
  return JSON.stringify(value);
}

/**
 * Turns the values of a statement into what is sent: arrays become SQL arrays, other objects json,
 * Date an instant, bytes bytea. Everything is encoded before anything is sent, so that a value which
 * cannot be encoded never leaves a half-sent batch behind.
 * @throws {TypeError} for undefined, NaN, functions and symbols: they are mistakes, not nulls
 */
export function encodeValues(values: readonly unknown[]): WireValue[] {
  return values.map((value, index) => {
    try {
      return encode(value);
    } catch (error) {
      throw new TypeError(
        `$${index + 1}: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  });
}

function encode(value: unknown): WireValue {
  if (value === null) return null;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return Array.isArray(value) ? encodeArray(value) : encodeScalar(value);
}

function encodeScalar(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      if (Number.isNaN(value)) throw new TypeError('NaN is not a value');
      return String(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value instanceof Date ? value.toISOString() : toJson(value);
    default:
      throw new TypeError(`${typeof value} is not a value`);
  }
}

function encodeArray(values: readonly unknown[]): string {
  const elements: string[] = [];
  // Columns of a batch are full of repetitions: project, actor, instants, status.
  let previous: unknown;
  let encoded = '';
  for (const value of values) {
    if (elements.length === 0 || value !== previous) {
      previous = value;
      encoded = encodeElement(value);
    }
    elements.push(encoded);
  }
  return `{${elements.join(',')}}`;
}

function encodeElement(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'NULL';
  if (typeof value === 'number') return encodeScalar(value);
  if (Array.isArray(value)) return encodeArray(value);
  if (value instanceof Uint8Array) return `"\\\\x${Buffer.from(value).toString('hex')}"`;
  return quoted(encodeScalar(value));
}

const SPECIAL = /["\\]/;
// eslint-disable-next-line no-control-regex -- they are what is looked for
const NOT_AS_IN_JSON = /[\0-\u001F\uD800-\uDFFF]/;

/** An element in quotes: `\` before quotes and backslashes, everything else as it is. */
function quoted(text: string): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  // JSON's quoting is the same where there is nothing else that it escapes, and native.
  if (!NOT_AS_IN_JSON.test(text)) return JSON.stringify(text);
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
