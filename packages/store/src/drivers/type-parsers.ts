import pg from 'pg';

type Parse = (text: string) => unknown;

/** Oids of the types that do not stay strings, with the oid of their array type. */
const PARSERS: readonly { readonly oid: number; readonly array: number; readonly parse: Parse }[] =
  [
    { oid: 16, array: 1000, parse: (text) => text === 't' },
    { oid: 17, array: 1001, parse: (text) => Buffer.from(text.slice(2), 'hex') },
    { oid: 20, array: 1016, parse: parseInt8 },
    { oid: 21, array: 1005, parse: Number },
    { oid: 23, array: 1007, parse: Number },
    { oid: 26, array: 1028, parse: Number },
    { oid: 700, array: 1021, parse: Number },
    { oid: 701, array: 1022, parse: Number },
    { oid: 114, array: 199, parse: parseJson },
    { oid: 3802, array: 3807, parse: parseJson },
    { oid: 1184, array: 1185, parse: parseTimestamptz },
  ];

/** Array types whose elements stay strings: text, varchar, bpchar, uuid, numeric, xid8, name. */
const STRING_ARRAYS = [1009, 1015, 1014, 2951, 1231, 271, 1003];

/** Of text[], whose oid the types of `pg` do not list. */
const parseTextArray = pg.types.getTypeParser(1009 as never, 'text') as Parse as (
  text: string,
) => NestedArray;

type NestedArray = readonly (string | null | NestedArray)[];

const byOid = new Map<number, Parse>([
  ...PARSERS.map(({ oid, parse }) => [oid, parse] as const),
  ...PARSERS.map(({ array, parse }) => [array, arrayOf(parse)] as const),
  ...STRING_ARRAYS.map((oid) => [oid, arrayOf((text) => text)] as const),
]);

const asText: Parse = (text) => text;

/**
 * How values come out of both databases: timestamptz as epoch milliseconds (fractions cut), int8 as a
 * number, json parsed, bytea as Buffer, arrays of those; numeric and everything else as text.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) =>
    byOid.get(oid) ?? asText) as pg.CustomTypesConfig['getTypeParser'],
};

/** @throws {RangeError} beyond 2^53, where a number would silently be another one. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is not a safe integer`);
  return value;
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

const TIMESTAMPTZ = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00$/;

let lastMinute = { text: '', startMs: 0 };

/** Sessions run in UTC with ISO dates, so there is one form to read. */
function parseTimestamptz(text: string): number {
  // Rows that are read together are mostly of one minute.
  if (!text.startsWith(lastMinute.text) || lastMinute.text === '') {
    if (text === 'infinity') return Infinity;
    if (text === '-infinity') return -Infinity;
    lastMinute = minuteOf(text);
  }
  const seconds = Number(text.slice(lastMinute.text.length, -'+00'.length));
  const ms = lastMinute.startMs + Math.trunc(seconds * 1_000 + 1e-4);
  if (Number.isNaN(ms)) throw unexpected(text);
  return ms;
}

/** The minute of an instant, with the colon before its seconds. */
function minuteOf(text: string): { readonly text: string; readonly startMs: number } {
  const parts = TIMESTAMPTZ.exec(text);
  if (parts === null) throw unexpected(text);
  const field = (index: number): number => Number(parts[index]);
  const at = new Date(0);
  at.setUTCFullYear(field(1), field(2) - 1, field(3));
  at.setUTCHours(field(4), field(5));
  return { text: text.slice(0, text.lastIndexOf(':') + 1), startMs: at.getTime() };
}

function unexpected(text: string): RangeError {
  return new RangeError(`timestamptz ${text} is not in the expected form`);
}

function arrayOf(parse: Parse): Parse {
  const convert = (element: string | null | NestedArray): unknown => {
    if (element === null) return null;
    return typeof element === 'string' ? parse(element) : element.map(convert);
  };
  return (text) => parseTextArray(text).map(convert);
}
