import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';

function split(bytes: Uint8Array, sizes: readonly number[], lineBytesMax: number): Line[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines: Line[] = [];
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    const chunk = new Uint8Array(bytes.subarray(from, from + size));
    lines.push(...splitter.push(chunk));
    // Callers reuse their buffers.
    chunk.fill(0x58);
    from += size;
  }
  return [...lines, ...splitter.end()];
}

test('lines end with LF or CRLF, and the last one may end with neither', () => {
  expect(split(Buffer.from('a\r\n\nb é\nlast'), [], 100)).toEqual([
    { kind: 'line', text: 'a' },
    { kind: 'line', text: '' },
    { kind: 'line', text: 'b é' },
    { kind: 'line', text: 'last' },
  ]);
});

test('a line that is too long is told by its length and beginning, and the next one is whole', () => {
  expect(split(Buffer.from(`${'x'.repeat(5_000)}\nnext\n`), [3, 3_000], 1_000)).toEqual([
    { kind: 'too_long', bytes: 5_000, head: 'x'.repeat(200) },
    { kind: 'line', text: 'next' },
  ]);
});

test('however the bytes are cut, the lines are the same', () => {
  const bytes = fc
    .array(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('\n', '\r\n', '€')),
    )
    .map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(9)), (given, sizes) => {
      expect(split(given, sizes, 20)).toEqual(split(given, [], 20));
    }),
  );
});
