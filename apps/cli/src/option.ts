import { AppError } from '@baton/contract';

/**
 * A flag of a command: how it is written, and how its text becomes a value. `flags` is commander's
 * notation; the key under which a command keeps it is its long name in camelCase.
 */
export interface OptionRow<T> {
  readonly flags: string;
  /** Empty: for programs, not shown in the help. */
  readonly help: string;
  readonly kind: 'flag' | 'one' | 'many';
  /** Gets what was typed: true for a flag, text, or all texts of a repeated one. */
  readonly parse: (raw: string | boolean | readonly string[] | undefined) => T;
}

/** True when given; a `--no-x` is true when `--no-x` was given. */
export function flag(flags: string, help: string): OptionRow<boolean> {
  return { flags, help, kind: 'flag', parse: (raw) => raw === true };
}

/** A flag with one text. */
export function text(flags: string, help: string): OptionRow<string | undefined> {
  return { flags, help, kind: 'one', parse: oneText };
}

/** A flag with a text each time it is given. */
export function texts(flags: string, help: string): OptionRow<readonly string[]> {
  return { flags: flags, help: `${help}; repeatable`, kind: 'many', parse: manyTexts };
}

/** `a,b` and repeated. */
export function commaTexts(flags: string, help: string): OptionRow<readonly string[]> {
  return {
    flags,
    help: `${help}; comma-separated or repeated`,
    kind: 'many',
    parse: (raw) => manyTexts(raw).flatMap((part) => part.split(',').filter((it) => it !== '')),
  };
}

/** `a,b` and repeated, each one of a few. */
export function choices<const T extends string>(
  flags: string,
  help: string,
  values: readonly T[],
): OptionRow<readonly T[]> {
  const one = choice(flags, help, values);
  const row = commaTexts(flags, one.help);
  return {
    ...row,
    parse: (raw) => row.parse(raw).flatMap((part) => one.parse(part) ?? []),
  };
}

/** `k=v`, repeated. With `comma`, `k=v,k=v` too. */
export function pairs(
  flags: string,
  help: string,
  options: { readonly comma?: boolean } = {},
): OptionRow<Readonly<Record<string, string>>> {
  return {
    flags,
    help: `${help}; repeatable`,
    kind: 'many',
    parse: (raw) => {
      const parts = manyTexts(raw).flatMap((it) => (options.comma === true ? it.split(',') : [it]));
      return Object.fromEntries(parts.map((part) => pairOf(part, flags)));
    },
  };
}

/** A number, within bounds where there are some. */
export function numeric(
  flags: string,
  help: string,
  bounds: { readonly min?: number; readonly max?: number } = {},
): OptionRow<number | undefined> {
  return {
    flags,
    help,
    kind: 'one',
    parse: (raw) => {
      const typed = oneText(raw);
      if (typed === undefined) return undefined;
      const value = Number(typed);
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = bounds;
      if (typed.trim() === '' || !Number.isFinite(value) || value < min || value > max) {
        const range = [
          ...(bounds.min === undefined ? [] : [`at least ${bounds.min}`]),
          ...(bounds.max === undefined ? [] : [`at most ${bounds.max}`]),
        ].join(' and ');
        throw usage(`${longName(flags)} takes a number${range === '' ? '' : `, ${range}`}.`);
      }
      return value;
    },
  };
}

/** One of some words. */
export function choice<const T extends string>(
  flags: string,
  help: string,
  values: readonly T[],
): OptionRow<T | undefined> {
  return {
    flags,
    help: `${help}: ${values.join(', ')}`,
    kind: 'one',
    parse: (raw) => {
      const typed = oneText(raw);
      if (typed === undefined) return undefined;
      const found = values.find((value) => value === typed);
      if (found === undefined) {
        throw usage(`${longName(flags)} is one of ${values.join(', ')}, not ${typed}.`);
      }
      return found;
    },
  };
}

/** A command line that is not understood. */
export function usage(message: string): AppError {
  return new AppError('bad_request', message);
}

/** `--repo` of `-r, --repo <path>`. */
export function longName(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags;
}

function oneText(raw: string | boolean | readonly string[] | undefined): string | undefined {
  return typeof raw === 'string' ? raw : undefined;
}

function manyTexts(raw: string | boolean | readonly string[] | undefined): readonly string[] {
  if (typeof raw === 'string') return [raw];
  return typeof raw === 'object' ? raw : [];
}

function pairOf(part: string, flags: string): [string, string] {
  const at = part.indexOf('=');
  if (at < 1) throw usage(`${longName(flags)} takes name=value, not ${part}.`);
  return [part.slice(0, at), part.slice(at + 1)];
}
