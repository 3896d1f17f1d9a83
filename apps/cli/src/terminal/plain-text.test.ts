import { describe, expect, test } from 'vitest';
import { plainLine, plainText } from './plain-text.ts';
import { paint, show, stack } from './shown.ts';

const ESC = '\u001b';

describe('text of others', () => {
  test.each([
    ['colours', `${ESC}[31mred${ESC}[0m`, 'red'],
    ['moves of the cursor', `a${ESC}[2Ab${ESC}[1;1Hc`, 'abc'],
    ['a window title', `${ESC}]0;owned\u0007text`, 'text'],
    ['a link', `${ESC}]8;;https://evil.invalid${ESC}\\here${ESC}]8;;${ESC}\\`, 'here'],
    ['a device control string', `${ESC}Pq#0;2;0;0;0${ESC}\\x`, 'x'],
    ['one-byte introducers', '\u009b31mred\u009d0;t\u0007!', 'red!'],
    ['an unfinished sequence', `a${ESC}`, 'a'],
    ['an unfinished string, but not what follows it', `${ESC}]0;title\nnext`, '0;title\nnext'],
    ['bells, backspaces and nulls', 'a\u0007b\b\bc\u0000d', 'abcd'],
    ['marks that turn the order round', 'user\u202etxt.exe\u2066', 'usertxt.exe'],
    ['a return that would write over the line', 'safe\rrm -rf', 'safe\nrm -rf'],
  ])('loses %s', (_, written, shown) => {
    expect(plainText(written)).toBe(shown);
  });

  test('keeps letters, lines and tabs', () => {
    expect(plainText('Käse 🧀\n\tzwei\r\n')).toBe('Käse 🧀\n\tzwei\n');
  });

  test('is one line where a line is wanted', () => {
    expect(plainLine('one\n\ntwo\tthree\n')).toBe('one two three');
  });

  test('is cleaned wherever it is put in, and only our own colours remain', () => {
    const shown = stack(show`${`${ESC}[5mx\ny`} ${paint.red(`${ESC}]0;t\u0007z`)}`);
    expect(shown.encode(true)).toBe(`x y ${ESC}[31mz${ESC}[39m`);
    expect(shown.encode(false)).toBe('x y z');
  });

  test('counts letters as a person does when it is cut', () => {
    expect(show`👩‍👩‍👧 family`.width).toBe(8);
    expect(show`abcdef`.cut(4).encode(false)).toBe('abc…');
  });
});
