/**
 * A map of at most `sizeMax` entries that forgets what was not set again for longest, in halves: half of
 * it is new, half is what was new before. Setting costs the same however full it is.
 */
export class RecentMap<V> {
  readonly #halfMax: number;
  #recent = new Map<string, V>();
  #earlier = new Map<string, V>();

  constructor(sizeMax: number) {
    this.#halfMax = Math.max(1, Math.floor(sizeMax / 2));
  }

  get(key: string): V | undefined {
    return this.#recent.get(key) ?? this.#earlier.get(key);
  }

  set(key: string, value: V): void {
    if (this.#recent.size >= this.#halfMax && !this.#recent.has(key)) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }

  delete(key: string): void {
    this.#recent.delete(key);
    this.#earlier.delete(key);
  }

  clear(): void {
    this.#recent.clear();
    this.#earlier.clear();
  }
}
