import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ID_PREFIXES } from '@baton/contract';
import { fromBase62 } from './base62.ts';
import { decodeId, encodeId } from './id-bytes.ts';
import { formatToken, parseToken } from './token.ts';

/**
 * What is derived from the instance secret, so that it can be handed out again and is stored nowhere.
 *
 * An attempt token is 16 bytes of its attempt's id and 16 bytes of HMAC over id and epoch: whoever
 * shows it names the attempt, and only this instance could have made it.
 */
export interface InstanceKeys {
  /** Names this installation in cookies; says nothing about the secret. */
  readonly name: string;
  attemptToken(attempt: string, epoch: number): string;
  /** The attempt a token speaks for, still to be checked with `isAttemptToken`; undefined if malformed. */
  attemptOf(token: string): string | undefined;
  /** Constant-time. */
  isAttemptToken(token: string, attempt: string, epoch: number): boolean;
  /** 32 bytes that are the same for the same purpose and parts. */
  derive(purpose: string, ...parts: readonly string[]): Uint8Array;
  /** An id of a kind that is the same for the same parts: a repeated request makes the same thing. */
  deriveId(kind: keyof typeof ID_PREFIXES, ...parts: readonly string[]): string;
}

/** `secret` is 32 random bytes, made once per installation. */
export function instanceKeys(secret: Uint8Array): InstanceKeys {
  const derive = (purpose: string, ...parts: readonly string[]): Uint8Array =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, ...parts]))
      .digest();

  const attemptToken = (attempt: string, epoch: number): string => {
    const id = decodeId(attempt);
    const mac = derive('attempt token', attempt, String(epoch)).subarray(0, 16);
    return formatToken('attempt_token', Buffer.concat([id, mac]));
  };

  return {
    name: Buffer.from(derive('instance name')).toString('hex').slice(0, 8),
    derive,
    attemptToken,
    attemptOf(token) {
      const form = parseToken(token);
      if (form?.kind !== 'attempt_token') return undefined;
      const bytes = fromBase62(form.secret, 32);
      return bytes === undefined ? undefined : encodeId('attempt', bytes.subarray(0, 16));
    },
    isAttemptToken(token, attempt, epoch) {
      const expected = Buffer.from(attemptToken(attempt, epoch));
      const given = Buffer.from(token);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
    deriveId: (kind, ...parts) => encodeId(kind, derive('id', kind, ...parts).subarray(0, 16)),
  };
}
