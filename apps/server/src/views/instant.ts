/** Epoch milliseconds as ISO 8601 in UTC. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same for an instant that may not have come. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms);
}
