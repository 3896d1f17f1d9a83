/** A line, or what is left to say about one that was too long to keep. */
export type Line =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'too_long'; readonly bytes: number; readonly head: string };

const headBytesMax = 200;
const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts bytes into lines of UTF-8, whatever the chunks. Keeps at most `lineBytesMax` bytes; of a longer
 * line only its length and beginning. Broken UTF-8 becomes U+FFFD.
 */
export class LineSplitter {
  readonly #lineBytesMax: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      this.#keep(chunk.subarray(from, end));
      lines.push(this.#take());
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  /** The last line, if it did not end with a newline. */
  end(): Line[] {
    return this.#bytes === 0 ? [] : [this.#take()];
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const wasTooLong = this.#bytes > this.#lineBytesMax;
    this.#bytes += bytes.length;
    if (wasTooLong) return;
    // A copy (which slice of a Buffer is not): callers reuse their buffers.
    this.#parts.push(new Uint8Array(bytes));
    if (this.#bytes > this.#lineBytesMax) {
      const headBytes = Math.min(headBytesMax, this.#lineBytesMax);
      this.#parts = [new Uint8Array(Buffer.concat(this.#parts).subarray(0, headBytes))];
    }
  }

  #take(): Line {
    const bytes = this.#bytes;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#lineBytesMax) {
      return { kind: 'too_long', bytes, head: this.#decoder.decode(whole) };
    }
    const text = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    return { kind: 'line', text: this.#decoder.decode(text) };
  }
}
