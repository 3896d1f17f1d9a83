/**
 * A map of at most `sizeMax` entries that forgets what was neither set nor found for longest, in halves:
 * half of it is new, half is what was new before. Setting costs the same however full it is.
 */
export class RecentMap<V> {
  readonly #halfMax: number;
  #recent = new Map<string, V>();
  #earlier = new Map<string, V>();

  constructor(sizeMax: number) {
    this.#halfMax = Math.max(1, Math.floor(sizeMax / 2));
  }

  get(key: string): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const earlier = this.#earlier.get(key);
    if (earlier !== undefined) this.set(key, earlier);
    return earlier;
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
