const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Bytes as one big-endian number in base62, padded to `chars`. 32 bytes fit into 43, 4 into 6. */
export function toBase62(bytes: Uint8Array, chars: number): string {
  let rest = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = '';
  for (let i = 0; i < chars; i++) {
    text = alphabet.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** The reverse of `toBase62`; undefined when `text` has other characters or is beyond `length` bytes. */
export function fromBase62(text: string, length: number): Uint8Array | undefined {
  let sum = 0n;
  for (const char of text) {
    const digit = alphabet.indexOf(char);
    if (digit < 0) return undefined;
    sum = sum * 62n + BigInt(digit);
  }
  if (sum >> BigInt(length * 8) !== 0n) return undefined;
  const bytes = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(sum & 255n);
    sum >>= 8n;
  }
  return bytes;
}
