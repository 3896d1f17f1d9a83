/** A rule of the kernel was broken: a bug. Ends the batch, never the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws when what must hold does not. `why` says what was expected. */
export function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}
