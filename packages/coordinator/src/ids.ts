import { hash } from 'node:crypto';
import { typeidUnboxed } from 'typeid-js';

/** A new public id: prefix, underscore, UUIDv7 in base32. Sorts by age. */
export function newId(prefix: string): string {
  return typeidUnboxed(prefix);
}

/** Hex sha256 of UTF-8 text. */
export function sha256(text: string): string {
  return hash('sha256', text);
}
