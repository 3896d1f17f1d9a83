/** One line of output. `stream` tells ordinary output from errors. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr' | 'system';
  readonly text: string;
}

/** Lines that are kept at most; beyond it the oldest go. */
export const LOG_LINES_MAX = 20_000;

// Escape sequences: CSI, OSC up to its end, and the two-letter ones.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Control characters but tab; line breaks are gone by then.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A line as a terminal would leave it: no escape sequences, and what `\r` wrote over is gone. */
export function plainLine(raw: string): string {
  const shown = raw.replace(ESCAPES, '').replace(/\r+$/, '');
  return shown.slice(shown.lastIndexOf('\r') + 1).replace(CONTROLS, '');
}

/** Turns bytes of several streams into lines; what comes in pieces is put together. */
export class LogText {
  readonly #open = new Map<LogLine['stream'], { decoder: TextDecoder; rest: string }>();
  #lines: LogLine[] = [];
  #dropped = 0;

  /** Adds bytes that follow those before them in the same stream. */
  push(stream: LogLine['stream'], bytes: Uint8Array): void {
    const open = this.#openOf(stream);
    const parts = (open.rest + open.decoder.decode(bytes, { stream: true })).split('\n');
    open.rest = parts.pop() ?? '';
    for (const part of parts) this.#lines.push({ stream, text: plainLine(part) });
    if (this.#lines.length > LOG_LINES_MAX * 1.1) {
      const over = this.#lines.length - LOG_LINES_MAX;
      this.#lines = this.#lines.slice(over);
      this.#dropped += over;
    }
  }

  /** How many of the oldest lines are no longer here. */
  get dropped(): number {
    return this.#dropped;
  }

  /** All whole lines, and then what has no line break yet. */
  lines(): readonly LogLine[] {
    const rests = [...this.#open].flatMap(([stream, { rest }]) => {
      const text = plainLine(rest);
      return text === '' ? [] : [{ stream, text }];
    });
    return [...this.#lines, ...rests];
  }

  #openOf(stream: LogLine['stream']): { decoder: TextDecoder; rest: string } {
    const known = this.#open.get(stream);
    if (known !== undefined) return known;
    const made = { decoder: new TextDecoder(), rest: '' };
    this.#open.set(stream, made);
    return made;
  }
}
