import { z } from 'zod';
import { toTimestamptz } from '../parameters.ts';

/**
 * SQL types of columns, `?` when they may be null. `ms` is a timestamptz read and written as epoch
 * milliseconds; `json` keeps a document to the letter, `jsonb` is for those that SQL looks into.
 */
export type ColumnType = ScalarType | `${ScalarType}?`;
type ScalarType =
  | 'text'
  | 'integer'
  | 'smallint'
  | 'bigint'
  | 'float'
  | 'boolean'
  | 'ms'
  | Document;
type Document = 'json' | 'jsonb';
type Nullable<V, T extends ScalarType> = null extends V ? `${T}?` : T;

/** The column types that fit a property of a row, by its name and TypeScript type. */
export type ColumnTypeOf<Name, V> = Name extends `${string}Ms`
  ? Nullable<V, 'ms'>
  : [NonNullable<V>] extends [string]
    ? Nullable<V, 'text'>
    : [NonNullable<V>] extends [number]
      ? Nullable<V, 'integer' | 'smallint' | 'bigint' | 'float'>
      : [NonNullable<V>] extends [boolean]
        ? Nullable<V, 'boolean'>
        : Document | (null extends V ? `${Document}?` : never);

/** A column: its property in rows, its name in SQL, and how values go in and come out. */
export interface Column {
  readonly property: string;
  readonly name: string;
  readonly isNullable: boolean;
  /** Type of one element of the array that carries this column; documents travel as text. */
  readonly arrayOf: string;
  /** Its own type in SQL. */
  readonly type: string;
  /** A row's value as an element of that array. */
  readonly encode: (value: unknown) => unknown;
  /** What comes out of the database, in the form of `typeParsers`. */
  readonly schema: z.ZodType;
}

interface ScalarKind {
  readonly arrayOf: string;
  readonly cast?: string;
  readonly encode: (value: never) => unknown;
  readonly schema: z.ZodType;
}

const same = (value: unknown): unknown => value;
const KINDS: Readonly<Record<ScalarType, ScalarKind>> = {
  text: { arrayOf: 'text', encode: storableText, schema: z.string() },
  integer: { arrayOf: 'integer', encode: same, schema: z.int() },
  smallint: { arrayOf: 'smallint', encode: same, schema: z.int() },
  bigint: { arrayOf: 'bigint', encode: same, schema: z.int() },
  float: { arrayOf: 'float8', encode: same, schema: z.number() },
  boolean: { arrayOf: 'boolean', encode: same, schema: z.boolean() },
  ms: { arrayOf: 'timestamptz', encode: toTimestamptz as ScalarKind['encode'], schema: z.int() },
  json: { arrayOf: 'text', cast: 'json', encode: toJsonText, schema: z.unknown() },
  jsonb: { arrayOf: 'text', cast: 'jsonb', encode: toJsonbText, schema: z.unknown() },
};

/** The column of a property: `leaseUntilMs` of type `ms` is `lease_until timestamptz`. */
export function columnOf(property: string, type: ColumnType): Column {
  const isNullable = type.endsWith('?');
  const kind = KINDS[type.replace('?', '') as ScalarType];
  return {
    property,
    name: toColumnName(property),
    isNullable,
    arrayOf: kind.arrayOf,
    type: kind.cast ?? kind.arrayOf,
    encode: (value) => (isNullable && value === null ? null : kind.encode(value as never)),
    schema: isNullable ? kind.schema.nullable() : kind.schema,
  };
}

/** `promptSha256` is `prompt_sha256`; the unit of instants is not part of the SQL name. */
function toColumnName(property: string): string {
  return property.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Text without the one character that PostgreSQL cannot store; U+FFFD stands in its place. */
export function storableText(value: string): string {
  return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}

/** A document as text for a `json` column. */
export function toJsonText(value: unknown): string {
  // Rows and events of a batch share their documents: the actor above all.
  if (value !== lastDocument.value) lastDocument = { value, text: JSON.stringify(value) };
  return lastDocument.text;
}

let lastDocument: { readonly value: unknown; readonly text: string } = {
  value: null,
  text: 'null',
};

/** A document as text for a `jsonb` column, which refuses NUL and halves of surrogate pairs. */
export function toJsonbText(value: unknown): string {
  const text = JSON.stringify(value);
  return /\\u(0000|d[89a-f])/i.test(text) ? JSON.stringify(storable(value)) : text;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(Buffer.from(value).toString());
  if (Array.isArray(value)) return value.map(storable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [storable(key), storable(part)]),
  );
}
