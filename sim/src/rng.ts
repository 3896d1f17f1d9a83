/** Chance made from a seed: the same seed, the same numbers. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, below). */
  int(below: number): number;
  /** Uniform in [from, to]. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  /** One of the items. @throws {RangeError} when there is none */
  pick<T>(items: readonly T[]): T;
  /** Chance of its own, which does not depend on how much of this one was used. */
  fork(label: string): Rng;
}

/** `seed` is any text; texts that differ give numbers that have nothing in common. */
export function createRng(seed: string): Rng {
  let [a, b, c, d] = [hash(`${seed}/a`), hash(`${seed}/b`), hash(`${seed}/c`), 1];
  // sfc32, by Chris Doty-Humphrey: small, fast, passes the usual batteries.
  function next(): number {
    const sum = (a + b + d++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  }
  for (let warm = 0; warm < 12; warm++) next();
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    between: (from, to) => from + next() * (to - from),
    chance: (probability) => probability > 0 && next() < probability,
    pick(items) {
      const item = items[int(items.length)];
      if (item === undefined) throw new RangeError('nothing to choose from');
      return item;
    },
    fork: (label) => createRng(`${seed}/${label}`),
  };
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 16_777_619);
  }
  value ^= value >>> 15;
  value = Math.imul(value, 2_246_822_519);
  return (value ^ (value >>> 13)) | 0;
}
