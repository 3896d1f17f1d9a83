import { randomBytes } from 'node:crypto';
import { toBase62 } from './base62.ts';
import { secretChars } from './token.ts';

/** 43 characters for a login code or a session, neither of which anybody types. */
export function randomSecret(): string {
  return toBase62(randomBytes(32), secretChars);
}
