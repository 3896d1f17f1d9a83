import { describe, expect, test } from 'vitest';
import { LOG_LINES_MAX, LogText, plainLine } from './log-text.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a line of output', () => {
  test.each([
    ['\u001b[1;32mok\u001b[0m', 'ok'],
    ['\u001b]0;title\u0007after', 'after'],
    ['10 %\r50 %\r100 %', '100 %'],
    ['kept\r', 'kept'],
    ['a\tb\u0000\u0007c', 'a\tbc'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('%j is shown as %j', (raw, shown) => {
    expect(plainLine(raw)).toBe(shown);
  });
});

describe('output that comes in pieces', () => {
  test('is put together in lines, each stream for itself', () => {
    const log = new LogText();
    log.push('stdout', bytes('one\ntw'));
    log.push('stderr', bytes('warning\n'));
    log.push('stdout', bytes('o\nthree'));
    expect(log.lines()).toEqual([
      { stream: 'stdout', text: 'one' },
      { stream: 'stderr', text: 'warning' },
      { stream: 'stdout', text: 'two' },
      { stream: 'stdout', text: 'three' },
    ]);
  });

  test('keeps a character whole that is cut in its middle', () => {
    const log = new LogText();
    const letter = bytes('é\n');
    log.push('stdout', letter.slice(0, 1));
    log.push('stdout', letter.slice(1));
    expect(log.lines()).toEqual([{ stream: 'stdout', text: 'é' }]);
  });

  test('lets the oldest lines go and counts them', () => {
    const log = new LogText();
    log.push('stdout', bytes('x\n'.repeat(LOG_LINES_MAX * 2)));
    expect(log.lines()).toHaveLength(LOG_LINES_MAX);
    expect(log.dropped).toBe(LOG_LINES_MAX);
  });
});
