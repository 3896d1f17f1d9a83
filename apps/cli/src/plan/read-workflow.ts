import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, type RunCreateInput, nearestName } from '@baton/contract';
import { isMap, isNode, isPair, LineCounter, parseDocument, type Document } from 'yaml';
import { compileWorkflow, type CompileOptions } from './compile-workflow.ts';
import type { PlanFault } from './fault.ts';
import { fillIn, parameterValues } from './parameters.ts';
import { FIELD_NAMES, workflow, type Workflow } from './workflow-schema.ts';

/** How a plan file is read. */
export interface ReadOptions extends Omit<CompileOptions, 'baseDir'> {
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** Stands for the file's own goal. */
  readonly goal?: string | undefined;
}

const FILE_CHARS_MAX = 4 * 1024 * 1024;
const FAULTS_SHOWN_MAX = 20;

/** Reads a plan file. @throws AppError not_found, bad_request with each fault and its line. */
export function readWorkflow(path: string, options: ReadOptions = {}): RunCreateInput {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('not_found', `Cannot read the plan ${path}. Does it exist?`, {
      cause: error,
    });
  }
  return parseWorkflow(text, path, options);
}

/** The same from text; `path` names the file in faults, and its folder is where paths start. */
export function parseWorkflow(text: string, path: string, options: ReadOptions): RunCreateInput {
  if (text.length > FILE_CHARS_MAX) {
    throw new AppError('body_too_large', `${path} has more than ${FILE_CHARS_MAX} characters.`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (faults: readonly PlanFault[]): AppError =>
    refusalOf(
      path,
      faults.map((fault) => `${place(document, lines, fault)}: ${wordsOf(fault)}`),
    );
  if (document.errors.length > 0) {
    throw refusalOf(
      path,
      document.errors.map(({ pos, message }) => {
        const { line, col } = lines.linePos(pos[0]);
        return `${line}:${col}: ${message}`;
      }),
    );
  }
  const raw: unknown = document.toJS();
  const parameters = parameterValues(fieldOf(raw, 'parameters'), options.params ?? {});
  if (!parameters.ok) throw refuse(parameters.faults);
  const { filled, faults } = fillIn(raw, parameters.values);
  if (faults.length > 0) throw refuse(faults);
  const checked = workflow.safeParse(filled);
  if (!checked.success) throw refuse(checked.error.issues.flatMap(faultsOf));
  // The document itself, not the parsed copy: the copy has defaults that the file does not say.
  const file = filled as Workflow;
  const given = options.goal === undefined ? file : { ...file, goal: options.goal };
  const compiled = compileWorkflow(given, { ...options, baseDir: dirname(path) });
  if (!compiled.ok) throw refuse(compiled.faults);
  return compiled.body;
}

/** What is read of a zod issue; its kinds are told apart by `code`. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

function faultsOf(issue: Issue): readonly PlanFault[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys' && issue.keys !== undefined) {
    return issue.keys.map((key) => {
      const meant = nearestName(key, FIELD_NAMES);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      return { path, atKey: key, message: `there is no field ${key}${hint}` };
    });
  }
  // Of several forms, what is wrong with the one that fits best says more than "none fits".
  if (issue.code === 'invalid_union' && issue.errors !== undefined) {
    const deepest = issue.errors
      .filter((form) =>
        form.every(({ code, path: inner }) => code !== 'invalid_type' || inner.length > 0),
      )
      .toSorted((one, other) => depthOf(other) - depthOf(one))[0];
    if (deepest !== undefined) {
      return deepest.flatMap((inner) =>
        faultsOf({ ...inner, path: [...issue.path, ...inner.path] }),
      );
    }
  }
  return [{ path, message: issue.message }];
}

function depthOf(form: readonly Issue[]): number {
  return Math.max(0, ...form.map(({ path }) => path.length));
}

/** `12:5` of what a path leads to; of the nearest thing above it where the path leads nowhere. */
function place(document: Document, lines: LineCounter, fault: PlanFault): string {
  for (let length = fault.path.length; length >= 0; length -= 1) {
    const path = fault.path.slice(0, length);
    const node = length === 0 ? document.contents : document.getIn(path, true);
    const parent = length === 0 ? undefined : document.getIn(path.slice(0, -1), true);
    const found =
      keyNode(node, length === fault.path.length ? fault.atKey : undefined) ??
      keyNode(parent, path.at(-1)) ??
      node;
    if (isNode(found) && found.range !== undefined && found.range !== null) {
      const { line, col } = lines.linePos(found.range[0]);
      return `${line}:${col}`;
    }
  }
  return '1:1';
}

function keyNode(map: unknown, key: string | number | undefined): unknown {
  if (key === undefined || !isMap(map)) return undefined;
  const pair = map.items.find((item) => {
    const name: unknown = isPair(item) && isNode(item.key) ? item.key.toJSON() : undefined;
    return String(name) === String(key);
  });
  return pair?.key;
}

function wordsOf({ path, message }: PlanFault): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function refusalOf(path: string, faults: readonly string[]): AppError {
  const shown = faults.slice(0, FAULTS_SHOWN_MAX);
  const more = faults.length > shown.length ? [`... and ${faults.length - shown.length} more`] : [];
  return new AppError(
    'bad_request',
    `${path} is not a plan: ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}.`,
    { detail: { violations: [...shown.map((fault) => `${path}:${fault}`), ...more] } },
  );
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
