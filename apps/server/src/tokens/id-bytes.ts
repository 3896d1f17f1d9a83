import { ID_PREFIXES, type IdKind } from '@baton/contract';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** The 16 bytes of a generated id. Throws when it is none. */
export function decodeId(id: string): Uint8Array {
  const text = id.slice(id.indexOf('_') + 1);
  let sum = 0n;
  for (const char of text) {
    const digit = alphabet.indexOf(char);
    if (digit < 0) throw new TypeError(`not a generated id: ${id}`);
    sum = (sum << 5n) | BigInt(digit);
  }
  if (text.length !== 26 || sum >> 128n !== 0n) throw new TypeError(`not a generated id: ${id}`);
  return Uint8Array.from(Buffer.from(sum.toString(16).padStart(32, '0'), 'hex'));
}

/** The id of a kind with these 16 bytes. */
export function encodeId(kind: IdKind, bytes: Uint8Array): string {
  let rest = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return `${ID_PREFIXES[kind]}_${text}`;
}
