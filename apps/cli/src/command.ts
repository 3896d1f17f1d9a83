import type { Context } from './context.ts';
import type { OptionRow } from './option.ts';
import type { Shown } from './terminal/shown.ts';

/** A word behind a command's name. `id` may also be given as `--id`. */
export interface ArgumentRow<T> {
  readonly kind: 'required' | 'optional' | 'rest';
  readonly isId: boolean;
  readonly help: string;
  /** Only for its type. */
  readonly value?: T;
}

/** A word that must be there. */
export function required(help: string): ArgumentRow<string> {
  return { kind: 'required', isId: false, help };
}

/** A word that may be left out. */
export function optional(help: string): ArgumentRow<string | undefined> {
  return { kind: 'optional', isId: false, help };
}

/** All words that are left. */
export function rest(help: string): ArgumentRow<readonly string[]> {
  return { kind: 'rest', isId: false, help };
}

/** What the command is about: an id, a unique prefix of one, or a name; also `--id`. */
export function id(help: string): ArgumentRow<string> {
  return { kind: 'required', isId: true, help };
}

/** The same, where the command knows what is meant without it. */
export function optionalId(help: string): ArgumentRow<string | undefined> {
  return { kind: 'optional', isId: true, help };
}

/** What a command answers: for programs as JSON, for people as text. `exitCode` is 0 unless said. */
export interface Answer {
  readonly json: unknown;
  readonly text: Shown;
  readonly exitCode?: number | undefined;
}

type Rows = Readonly<Record<string, unknown>>;
type ArgumentRows<A extends Rows> = { readonly [K in keyof A]: ArgumentRow<A[K]> };
type OptionRows<O extends Rows> = { readonly [K in keyof O]: OptionRow<O[K]> };

/** What a command is, and how it is run. Made by `command`, one a file, at the path of its name. */
export interface Command {
  /** Words of its name: `['task', 'approve']`. */
  readonly name: readonly string[];
  readonly summary: string;
  readonly details: string | undefined;
  readonly examples: readonly string[];
  /** Names in the order they are typed. */
  readonly arguments: Readonly<Record<string, ArgumentRow<unknown>>>;
  readonly options: Readonly<Record<string, OptionRow<unknown>>>;
  /** Undefined: the command has shown everything itself and ended well. */
  run(context: Context, args: Rows, options: Rows): Promise<Answer | undefined>;
}

/** How its arguments are typed: `<task>`, `[answer...]`. */
export function argumentWords(it: Command): readonly string[] {
  return Object.entries(it.arguments).map(([key, { kind }]) => {
    if (kind === 'required') return `<${key}>`;
    return kind === 'optional' ? `[${key}]` : `[${key}...]`;
  });
}

/** Its summary as a sentence. */
export function sentenceOf({ summary }: Command): string {
  return `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`;
}

interface Definition<A extends Rows, O extends Rows> {
  readonly name: readonly string[];
  readonly summary: string;
  readonly details?: string;
  readonly examples?: readonly string[];
  readonly arguments?: ArgumentRows<A>;
  readonly options?: OptionRows<O>;
  run(context: Context, args: A, options: O): Promise<Answer | undefined>;
}

/** Checks a definition against itself, and forgets its types where commands lie in one list. */
export function command<A extends Rows = Rows, O extends Rows = Rows>(
  definition: Definition<A, O>,
): Command {
  return {
    name: definition.name,
    summary: definition.summary,
    details: definition.details,
    examples: definition.examples ?? [],
    arguments: (definition.arguments ?? {}) as Command['arguments'],
    options: (definition.options ?? {}) as Command['options'],
    // The dispatcher builds both from the rows above, so they have the types that the rows say.
    run: (context, args, options) => definition.run(context, args as A, options as O),
  };
}
