import type { PlanFault } from './fault.ts';

type Scalar = string | number | boolean;

/** What a file declares of a parameter; checked loosely, because the schema is checked afterwards. */
interface Declared {
  readonly default?: Scalar;
  readonly required?: boolean;
}

/** The value of each parameter, or what is wrong with those given. */
export type ParameterValues =
  | { readonly ok: true; readonly values: ReadonlyMap<string, Scalar> }
  | { readonly ok: false; readonly faults: readonly PlanFault[] };

/** Values given as text take the type of the parameter's default. */
export function parameterValues(
  declared: unknown,
  given: Readonly<Record<string, string>>,
): ParameterValues {
  const rows = declaredRows(declared);
  const known = rows.map(([name]) => name);
  const faults: PlanFault[] = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: ['parameters'],
      message: `there is no parameter ${name}; ${known.length === 0 ? 'the plan has none' : `the plan has ${known.join(', ')}`}`,
    }));
  const values = new Map<string, Scalar>();
  for (const [name, row] of rows) {
    const text = given[name];
    if (text === undefined && row.default !== undefined) values.set(name, row.default);
    if (text === undefined && row.default === undefined && row.required !== false) {
      faults.push({ path: ['parameters', name], message: `give it a value: --param ${name}=...` });
    }
    if (text === undefined && row.default === undefined && row.required === false)
      values.set(name, '');
    if (text === undefined) continue;
    const value = asTypeOf(row.default, text);
    if (value === undefined) {
      const type = typeof row.default;
      faults.push({ path: ['parameters', name], message: `must be a ${type}, not ${text}` });
    } else {
      values.set(name, value);
    }
  }
  return faults.length === 0 ? { ok: true, values } : { ok: false, faults };
}

/** `${{ name }}` in every text of a document, replaced. A text that is nothing else keeps the type. */
export function fillIn(
  document: unknown,
  values: ReadonlyMap<string, Scalar>,
): { readonly filled: unknown; readonly faults: readonly PlanFault[] } {
  const faults: PlanFault[] = [];
  const lookUp = (name: string, path: PlanFault['path']): Scalar => {
    const value = values.get(name);
    if (value !== undefined) return value;
    faults.push({ path, message: `there is no parameter ${name}; declare it under parameters` });
    return '';
  };
  const visit = (value: unknown, path: PlanFault['path']): unknown => {
    if (typeof value === 'string') {
      const whole = WHOLE.exec(value)?.[1];
      if (whole !== undefined) return lookUp(whole, path);
      return value.replace(PLACE, (_, name: string) => String(lookUp(name, path)));
    }
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]),
    );
  };
  return { filled: visit(document, []), faults };
}

const PLACE = /\$\{\{\s*(?:params\.|parameters\.)?([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;
const WHOLE = new RegExp(`^${PLACE.source}$`);

function declaredRows(declared: unknown): readonly (readonly [string, Declared])[] {
  if (typeof declared !== 'object' || declared === null) return [];
  return Object.entries(declared).map(([name, row]): readonly [string, Declared] => [
    name,
    typeof row === 'object' && row !== null ? (row as Declared) : {},
  ]);
}

function asTypeOf(example: Scalar | undefined, text: string): Scalar | undefined {
  if (typeof example === 'number') {
    const value = Number(text);
    return text.trim() === '' || !Number.isFinite(value) ? undefined : value;
  }
  if (typeof example === 'boolean') {
    return text === 'true' ? true : text === 'false' ? false : undefined;
  }
  return text;
}
