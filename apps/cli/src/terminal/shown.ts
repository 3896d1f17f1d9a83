import pc from 'picocolors';
import { plainLine, plainText } from './plain-text.ts';

/**
 * Text that is ready for a terminal: made only by the functions here, which clean everything that is
 * put in. Colours are always inside; `encode` takes them out where they do not belong.
 */
export class Shown {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  encode(hasColor: boolean): string {
    return hasColor ? this.#text : this.#text.replace(COLOR, '');
  }

  /** Columns it takes, colours not counted. */
  get width(): number {
    return lettersOf(this.encode(false)).length;
  }

  /** Cut to a number of columns, with an ellipsis; the colours of what is cut are lost. */
  cut(columns: number): Shown {
    if (this.width <= columns) return this;
    const letters = lettersOf(this.encode(false));
    return new Shown(`${letters.slice(0, Math.max(0, columns - 1)).join('')}…`);
  }
}

/** What may stand in a shown line; text is cleaned. */
export type Showable = Shown | string | number | null | undefined;

const segmenter = new Intl.Segmenter();

/** What a person takes for one letter each, however many code points it has. */
function lettersOf(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

const COLOR = new RegExp(String.raw`\u001b\[[0-9;]*m`, 'g');
const colors = pc.createColors(true);

/** A line from parts; strings in it are cleaned. */
export function show(strings: TemplateStringsArray, ...values: readonly Showable[]): Shown {
  const parts = strings.map((literal, index) => {
    const value = values[index];
    return literal + (index < values.length ? encodeOne(value) : '');
  });
  return new Shown(parts.join(''));
}

/** Lines below each other; what is undefined or false is left out. */
export function stack(...parts: readonly (Shown | undefined | false)[]): Shown {
  const kept = parts.filter((part) => part !== undefined && part !== false);
  return new Shown(kept.map((part) => part.encode(true)).join('\n'));
}

/** Text of several lines, each indented; cleaned. */
export function block(text: string, indent = ''): Shown {
  const lines = plainText(text).replace(/\n+$/, '').split('\n');
  return new Shown(lines.map((line) => indent + line).join('\n'));
}

/** Beside each other with a separator. */
export function join(parts: readonly Showable[], separator: string): Shown {
  return new Shown(parts.map(encodeOne).join(separator));
}

type Painter = (value: Showable) => Shown;

function painter(color: (text: string) => string): Painter {
  return (value) => new Shown(color(encodeOne(value)));
}

/** Colours and weights. */
export const paint = {
  bold: painter(colors.bold),
  dim: painter(colors.dim),
  red: painter(colors.red),
  green: painter(colors.green),
  yellow: painter(colors.yellow),
  blue: painter(colors.blue),
  magenta: painter(colors.magenta),
  cyan: painter(colors.cyan),
  plain: painter((text) => text),
} as const;

function encodeOne(value: Showable): string {
  if (value instanceof Shown) return value.encode(true);
  if (value === null || value === undefined) return '';
  return plainLine(String(value));
}
