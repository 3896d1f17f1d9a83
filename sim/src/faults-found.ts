/** A check that can fail, by its name; the table of docs/testing.md is made of these. */
export interface Fault {
  readonly check: string;
  readonly text: string;
  readonly atMs: number;
}

/** Takes up what the checks find; the first fault of a run is the one that counts. */
export class FaultList {
  readonly all: Fault[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  report(check: string, text: string): void {
    if (this.all.length < 50) this.all.push({ check, text, atMs: this.#nowMs() });
  }

  get any(): boolean {
    return this.all.length > 0;
  }
}
