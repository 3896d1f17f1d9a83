/** Callers that wait for the next change, each no longer than it likes. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next `wake`, after `waitMs`, or when `signal` fires; whichever comes first. */
  async wait(waitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      signal?.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }

  /** Ends every wait, so that its caller looks again. */
  wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
