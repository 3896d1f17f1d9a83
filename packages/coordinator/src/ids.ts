import { hash } from 'node:crypto';
import { v7 } from 'uuid';

/** Crockford's base32, lower-case: no letter that is taken for another or for a digit. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const uuid = new Uint8Array(16);

/** A new public id: prefix, underscore, UUIDv7 in base32. Sorts by age, also within a millisecond. */
export function newId(prefix: string): string {
  return `${prefix}_${base32(v7(undefined, uuid))}`;
}

/** The 128 bits of a UUID as 26 characters of 5 bits; the first one begins with two zeros. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let bits = 2;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0x1f_ff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet.charAt((pending >> (bits - 5)) & 31);
  }
  return text;
}

/** Hex sha256 of UTF-8 text. */
export function sha256(text: string): string {
  return hash('sha256', text);
}
