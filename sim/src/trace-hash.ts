import { createHash } from 'node:crypto';

/** A digest over all that happened: two runs of one seed must have the same. */
export class TraceHash {
  readonly #hash = createHash('sha256');

  add(line: string): void {
    this.#hash.update(line).update('\n');
  }

  text(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
