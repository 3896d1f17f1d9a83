import type { Writable } from 'node:stream';
import type { Shown } from './shown.ts';

/** One of the two output streams of the program. */
export interface Output {
  readonly isTty: boolean;
  /** Columns of the terminal; unbounded where there is none. */
  columns(): number;
  /** Lines of the terminal. */
  rows(): number;
  line(text: Shown): void;
  /** One line of JSON. */
  json(value: unknown): void;
  /** Bytes as they are; the caller has cleaned them. Ends the line first that an activity drew. */
  raw(text: string): void;
  /** Draws over the last line of the terminal; the next write wipes it. Nothing without a terminal. */
  status(text: Shown | undefined): void;
}

/** What an output needs of a stream. */
export type OutputStream = Pick<Writable, 'write'> & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

const WIPE_LINE = '\r\u001b[2K';

/** `hasColor` is the user's wish; a stream that is no terminal never gets colours. */
export function createOutput(stream: OutputStream, hasColor: boolean): Output {
  const isTty = stream.isTTY === true;
  const color = hasColor && isTty;
  let hasStatus = false;
  const write = (text: string): void => {
    stream.write(hasStatus ? WIPE_LINE + text : text);
    hasStatus = false;
  };
  return {
    isTty,
    columns: () => (isTty ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY),
    rows: () => stream.rows ?? 24,
    line: (text) => write(`${text.encode(color)}\n`),
    json: (value) => write(`${JSON.stringify(value)}\n`),
    raw: write,
    status(text) {
      if (!isTty) return;
      if (text === undefined) {
        if (hasStatus) write('');
        return;
      }
      stream.write(WIPE_LINE + text.cut((stream.columns ?? 80) - 1).encode(color));
      hasStatus = true;
    },
  };
}
