/**
 * Workers of these tests send no beats, and on a slow machine a test takes longer than a worker may be
 * silent: here one may be silent for hours.
 */
export const patient = { silentMs: 3_600_000, offlineMs: 2 * 3_600_000 } as const;
