import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { TOKEN_PREFIXES, type TokenKind } from '@baton/contract';
import { toBase62 } from './base62.ts';

/** Characters of the secret: 32 bytes in base62. */
export const secretChars = 43;
const checksumChars = 6;

/** A token that was recognised by its form: kind and checksum are right, nothing else is known. */
export interface TokenForm {
  readonly kind: TokenKind;
  /** The 43 characters between prefix and checksum. */
  readonly secret: string;
  /** What is stored in place of it, and looked up: hex sha256 of the token. */
  readonly hash: string;
}

const kinds = new Map<string, TokenKind>(
  Object.entries(TOKEN_PREFIXES).map(([kind, prefix]) => [prefix, kind as TokenKind]),
);

/**
 * Writes a token: `<prefix>_`, 43 characters of base62, then 6 of the CRC32 of all that stands before,
 * so that a mistyped or invented one is refused without asking the database.
 */
export function formatToken(kind: TokenKind, secret: Uint8Array): string {
  const head = `${TOKEN_PREFIXES[kind]}_${toBase62(secret, secretChars)}`;
  return head + checksum(head);
}

/** A new random token of a kind. */
export function newToken(kind: TokenKind): string {
  return formatToken(kind, randomBytes(32));
}

/**
 * Recognises a token; undefined when it is none. A join token may carry the control plane's URL
 * behind a dot, which is not part of the token.
 */
export function parseToken(text: string): TokenForm | undefined {
  const match = /^(bat[wja]?)_([0-9A-Za-z]{43})([0-9A-Za-z]{6})(?:\.[\w-]+)?$/.exec(text);
  const [, prefix = '', secret = '', given = ''] = match ?? [];
  const kind = kinds.get(prefix);
  if (kind === undefined) return undefined;
  if (text.includes('.') && kind !== 'join_token') return undefined;
  const head = `${prefix}_${secret}`;
  if (checksum(head) !== given) return undefined;
  return { kind, secret, hash: hashToken(head + given) };
}

/** Hex sha256 of a token: 256 random bits need no slow hash. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** A join token with the address at which the control plane is reached. */
export function withUrl(joinToken: string, url: string): string {
  return `${joinToken}.${Buffer.from(url).toString('base64url')}`;
}

function checksum(head: string): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(head));
  return toBase62(bytes, checksumChars);
}
