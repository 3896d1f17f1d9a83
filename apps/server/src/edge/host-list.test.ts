import { AppError } from '@baton/contract';
import { describe, expect, test } from 'vitest';
import { checkHost, checkOrigin, hostList, type Sender } from './host-list.ts';

const list = hostList(4664, 'https://tower.example');

function codeOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'allowed';
}

describe('Host', () => {
  test.each(['127.0.0.1:4664', 'localhost:4664', 'LOCALHOST:4664', '[::1]:4664', 'tower.example'])(
    '%s is answered',
    (host) => {
      expect(codeOf(() => checkHost(list, host))).toBe('allowed');
    },
  );

  test.each([
    undefined,
    '',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:4665',
    'localhost.:4664',
    '127.0.0.1.nip.io:4664',
    'tower.example:4664',
    'tower.example.evil.test',
    'evil.test:4664',
    '0.0.0.0:4664',
  ])('%s is foreign, and the answer names the flag', (host) => {
    expect(codeOf(() => checkHost(list, host))).toBe('foreign_host');
    expect(() => checkHost(list, host)).toThrow('--public-url');
  });
});

describe('Origin', () => {
  const page: Sender = {
    unsafe: true,
    origin: 'http://127.0.0.1:4664',
    fetchSite: 'same-origin',
    byCookie: true,
  };
  const cases: readonly (readonly [string, Partial<Sender>, string])[] = [
    ['our own page', {}, 'allowed'],
    ['our public page', { origin: 'https://tower.example' }, 'allowed'],
    ['another site', { origin: 'https://evil.test', fetchSite: 'cross-site' }, 'foreign_origin'],
    [
      'another site that hides its kind',
      { origin: 'https://evil.test', fetchSite: undefined },
      'foreign_origin',
    ],
    ['null', { origin: 'null', fetchSite: undefined }, 'foreign_origin'],
    [
      'another port of this machine',
      { origin: 'http://127.0.0.1:9', fetchSite: 'same-site' },
      'foreign_origin',
    ],
    ['http instead of https', { origin: 'http://tower.example' }, 'foreign_origin'],
    ['a suffix', { origin: 'https://tower.example.evil.test' }, 'foreign_origin'],
    ['userinfo', { origin: 'https://tower.example@evil.test' }, 'foreign_origin'],
    [
      'a cookie with neither witness',
      { origin: undefined, fetchSite: undefined },
      'foreign_origin',
    ],
    [
      'a key with neither witness',
      { origin: undefined, fetchSite: undefined, byCookie: false },
      'allowed',
    ],
    ['a key from another site', { origin: 'https://evil.test', byCookie: false }, 'foreign_origin'],
    ['a read of our own page', { unsafe: false, origin: undefined }, 'allowed'],
    [
      'a read from another site',
      { unsafe: false, origin: undefined, fetchSite: 'cross-site' },
      'foreign_origin',
    ],
  ];
  test.each(cases)('%s', (_, change, expected) => {
    expect(codeOf(() => checkOrigin(list, { ...page, ...change }))).toBe(expected);
  });
});
