import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isoOf, msOfIso } from './iso-time.ts';

describe('instants as text', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [951_782_400_000, '2000-02-29T00:00:00.000Z'],
    [1_709_251_199_999, '2024-02-29T23:59:59.999Z'],
    [4_107_542_400_000, '2100-03-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
  ])('%d is %s', (ms, text) => {
    expect(isoOf(ms)).toBe(text);
    expect(msOfIso(text)).toBe(ms);
  });

  test('reading what was written gives the same instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10_000_000_000_000, max: 200_000_000_000_000 }), (ms) => {
        expect(msOfIso(isoOf(ms))).toBe(ms);
      }),
    );
  });

  test.each(['2024-01-01', 'tomorrow', '2024-01-01T00:00:00+01:00', ''])(
    '%j is no instant in UTC',
    (text) => {
      expect(msOfIso(text)).toBeNull();
    },
  );

  test('fractions of a millisecond are cut off', () => {
    expect(msOfIso('1970-01-01T00:00:01.1234567Z')).toBe(1_123);
  });
});
