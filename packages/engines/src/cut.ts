import type { Json } from '@baton/contract';

const highSurrogate = /[\uD800-\uDBFF]$/;
const lowSurrogate = /^[\uDC00-\uDFFF]/;

/** The first `charsMax` UTF-16 units, never half a character. */
function head(text: string, charsMax: number): string {
  return text.slice(0, charsMax).replace(highSurrogate, '');
}

/** The last `charsMax` UTF-16 units, never half a character. */
export function tail(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : text.slice(-charsMax).replace(lowSurrogate, '');
}

/** `text` within `charsMax`: a longer one keeps both ends and says how much is missing between. */
export function cutMiddle(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const mark = `\n[... ${text.length - charsMax} characters cut ...]\n`;
  const room = Math.max(0, charsMax - mark.length);
  const headChars = Math.ceil(room / 2);
  return head(text, headChars) + mark + tail(text, room - headChars || 1);
}

/** `text` on one line within `charsMax`. */
export function oneLine(text: string, charsMax: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= charsMax ? line : `${head(line, charsMax - 1)}…`;
}

/** The last `lines` lines of `text`, without empty ones at the end. */
export function lastLines(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * A JSON value whose text fits about `charsMax`: long strings are cut first, and what is still too
 * large becomes its own cut text under `cut`.
 */
export function cutJson(value: Json, charsMax: number): Json {
  const text = JSON.stringify(value);
  if (text.length <= charsMax) return value;
  const smaller = cutStrings(value, Math.max(100, Math.floor(charsMax / 4)), 0);
  return JSON.stringify(smaller).length <= charsMax
    ? smaller
    : { cut: cutMiddle(text, Math.floor(charsMax / 2)) };
}

const depthMax = 20;

function cutStrings(value: Json, charsMax: number, depth: number): Json {
  if (typeof value === 'string') return cutMiddle(value, charsMax);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return '[...]';
  if (Array.isArray(value)) return value.map((item) => cutStrings(item, charsMax, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cutStrings(item, charsMax, depth + 1)]),
  );
}
