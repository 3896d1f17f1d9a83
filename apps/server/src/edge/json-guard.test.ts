import { AppError } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { parseJson } from './json-guard.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function codeOf(body: Uint8Array, large = false): string {
  try {
    parseJson(body, large);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'parsed';
}

describe('a JSON body', () => {
  test('is parsed as it is', () => {
    const value = { a: [1, 'x\n"\\', null, { b: 'äß😀' }] };
    expect(parseJson(bytes(JSON.stringify(value)), false)).toEqual(value);
  });

  test('may hold a whole surrogate pair as escapes', () => {
    expect(parseJson(bytes('["\\ud83d\\ude00"]'), false)).toEqual(['😀']);
  });

  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', bytes('')],
    ['half an object', bytes('{"a":')],
    ['two values', bytes('{} {}')],
    ['an escaped U+0000', bytes('{"goal":"a\\u0000b"}')],
    ['an escaped U+0000 in a name', bytes('{"a\\u0000b":1}')],
    ['half a surrogate pair', bytes('{"goal":"\\ud800"}')],
    ['the other half', bytes('["\\uDFFF"]')],
    ['__proto__', bytes('{"__proto__":{"admin":true}}')],
    ['__proto__ in escapes', bytes('{"\\u005f_proto__":{}}')],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['100,000 levels', bytes('['.repeat(100_000))],
    ['65 levels', bytes('['.repeat(65) + ']'.repeat(65))],
  ];
  test.each(refused)('%s is refused', (_, body) => {
    expect(codeOf(body)).toBe('bad_request');
  });

  test('brackets inside text are not levels', () => {
    expect(codeOf(bytes(JSON.stringify({ a: '[{"'.repeat(1_000) })))).toBe('parsed');
  });

  test('too many values are refused before anything is built', () => {
    const many = bytes(`[${'0,'.repeat(150_000)}0]`);
    expect(codeOf(many)).toBe('body_too_large');
    expect(codeOf(many, true)).toBe('parsed');
  });
});
