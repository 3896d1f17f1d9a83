import { describe, expect, test } from 'vitest';
import { decodeId, encodeId } from './id-bytes.ts';
import { instanceKeys } from './instance-keys.ts';
import { hashToken, newToken, parseToken, withUrl } from './token.ts';

const attempt = encodeId('attempt', new Uint8Array(16).fill(171));

describe('tokens', () => {
  test('a token has its prefix, 43 characters of base62 and 6 of checksum', () => {
    expect(newToken('api_key')).toMatch(/^bat_[0-9A-Za-z]{49}$/);
    expect(newToken('worker_key')).toMatch(/^batw_[0-9A-Za-z]{49}$/);
    expect(newToken('join_token')).toMatch(/^batj_[0-9A-Za-z]{49}$/);
  });

  test('a token is recognised with its kind and the hash that is stored of it', () => {
    const token = newToken('worker_key');
    expect(parseToken(token)).toEqual({
      kind: 'worker_key',
      secret: token.slice(5, 48),
      hash: hashToken(token),
    });
  });

  test('a single changed character is refused by the checksum', () => {
    const token = newToken('api_key');
    for (let i = 4; i < token.length; i++) {
      const other = token[i] === 'a' ? 'b' : 'a';
      expect(parseToken(token.slice(0, i) + other + token.slice(i + 1))).toBeUndefined();
    }
  });

  test('a token of one kind is not one of another kind with the same secret', () => {
    const token = newToken('api_key');
    expect(parseToken(token.replace('bat_', 'batw_'))).toBeUndefined();
  });

  test('a join token may carry a URL, which does not change its hash; others may not', () => {
    const token = newToken('join_token');
    expect(parseToken(withUrl(token, 'http://127.0.0.1:4664'))?.hash).toBe(hashToken(token));
    expect(parseToken(withUrl(newToken('api_key'), 'http://127.0.0.1:4664'))).toBeUndefined();
  });

  test.each(['', 'bat_', 'x', 'bat_' + 'a'.repeat(49), ' bat_', '\u0000'])(
    '%j is no token',
    (text) => {
      expect(parseToken(text)).toBeUndefined();
    },
  );
});

describe('what is derived from the instance secret', () => {
  const keys = instanceKeys(new Uint8Array(32).fill(1));

  test('an attempt token is the same each time and names its attempt', () => {
    const token = keys.attemptToken(attempt, 7);
    expect(keys.attemptToken(attempt, 7)).toBe(token);
    expect(token).toMatch(/^bata_[0-9A-Za-z]{49}$/);
    expect(keys.attemptOf(token)).toBe(attempt);
    expect(keys.isAttemptToken(token, attempt, 7)).toBe(true);
  });

  test('an attempt token is good for one epoch and one instance only', () => {
    const token = keys.attemptToken(attempt, 7);
    expect(keys.isAttemptToken(token, attempt, 8)).toBe(false);
    const others = instanceKeys(new Uint8Array(32).fill(2));
    expect(others.isAttemptToken(token, attempt, 7)).toBe(false);
  });

  test('ids survive a round trip through their bytes', () => {
    expect(encodeId('attempt', decodeId(attempt))).toBe(attempt);
    expect(() => decodeId('att_nope')).toThrow(TypeError);
  });

  test('a derived id is the same for the same parts and differs for others', () => {
    expect(keys.deriveId('joinToken', 'a', 'b')).toBe(keys.deriveId('joinToken', 'a', 'b'));
    expect(keys.deriveId('joinToken', 'a', 'b')).not.toBe(keys.deriveId('joinToken', 'ab'));
    expect(keys.deriveId('joinToken', 'a')).toMatch(/^jtk_[0-9a-z]{26}$/);
  });
});
