import { AppError, type Problem, nearestName } from '@baton/contract';
import type { z } from 'zod';

type Violations = NonNullable<Problem['violations']>;

/** A refusal with what is wrong, place by place. */
export class InvalidInput extends AppError {
  readonly violations: Violations;

  constructor(
    code: 'bad_request' | 'unknown_field' | 'bad_cursor',
    message: string,
    violations: Violations,
  ) {
    super(code, message);
    this.violations = violations;
  }
}

const violationsMax = 20;

/**
 * Parses input by its schema. Unknown names are answered with the nearest known one.
 * @throws {InvalidInput} bad_request, unknown_field
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  input: unknown,
  what: string,
): z.output<S> {
  const parsed = schema.safeParse(input, { reportInput: false });
  if (parsed.success) return parsed.data;
  throw explain(schema, parsed.error.issues, what);
}

function explain(
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
  what: string,
): InvalidInput {
  const leaves = issues.flatMap((issue) => flatten(issue, []));
  const violations = leaves
    .map(({ issue, path }) => ({ path: pathOf(path), message: messageOf(schema, issue, path) }))
    .slice(0, violationsMax);
  const [first] = violations;
  const unknown = leaves[0]?.issue.code === 'unrecognized_keys';
  const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const more = leaves.length > 1 ? ` (and ${leaves.length - 1} more)` : '';
  return new InvalidInput(
    unknown ? 'unknown_field' : 'bad_request',
    `The ${what} is not accepted: ${place}${first?.message ?? 'invalid'}${more}.`,
    violations,
  );
}

interface Leaf {
  readonly issue: z.core.$ZodIssue;
  readonly path: readonly PropertyKey[];
}

/** Issues of a union are those of the branch that fits best: the one that fails deepest, then least. */
function flatten(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): readonly Leaf[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }];
  const branches = issue.errors.map((errors) => errors.flatMap((error) => flatten(error, path)));
  const depth = (leaves: readonly Leaf[]): number =>
    Math.min(...leaves.map((leaf) => leaf.path.length + (isTypeFault(leaf.issue) ? 0 : 0.5)));
  const [best] = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
  if (
    best === undefined ||
    best.every((leaf) => leaf.path.length === path.length && isTypeFault(leaf.issue))
  ) {
    return [{ issue, path }];
  }
  return best;
}

function isTypeFault(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function messageOf(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  path: readonly PropertyKey[],
): string {
  if (issue.code !== 'unrecognized_keys') return lowerFirst(issue.message);
  const [name = ''] = issue.keys;
  const near = nearestName(name, namesAt(schema, path));
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `there is no field ${JSON.stringify(name.slice(0, 100))}${hint}`;
}

/** Field names that the schema knows at a place; empty when the place is not an object's. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let places: readonly z.core.$ZodType[] = objectsOf(schema);
  for (const step of path) {
    places = places.flatMap((place) => below(place, step)).flatMap(objectsOf);
  }
  return places.flatMap((place) =>
    place._zod.def.type === 'object' ? Object.keys((place as z.ZodObject)._zod.def.shape) : [],
  );
}

function below(schema: z.core.$ZodType, step: PropertyKey): readonly z.core.$ZodType[] {
  const { def } = schema._zod;
  if (def.type === 'object') {
    const next = (schema as z.ZodObject)._zod.def.shape[String(step)];
    return next === undefined ? [] : [next];
  }
  if (def.type === 'array') return [(schema as z.ZodArray)._zod.def.element];
  if (def.type === 'record') return [(schema as z.ZodRecord)._zod.def.valueType];
  return [];
}

/** Looks through wrappers: optional, nullable, default, prefault, union, pipe. */
function objectsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const { def } = schema._zod;
  if ('innerType' in def) return objectsOf(def.innerType as z.core.$ZodType);
  if (def.type === 'union') {
    return (schema as z.ZodUnion)._zod.def.options.flatMap((option) => objectsOf(option));
  }
  if (def.type === 'pipe') {
    const pipe = (schema as z.ZodPipe)._zod.def;
    return [...objectsOf(pipe.in), ...objectsOf(pipe.out)];
  }
  return [schema];
}

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      return index === 0 ? String(step) : `.${String(step)}`;
    })
    .join('')
    .slice(0, 500);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
