import { z } from 'zod';

/** What each kind of public id begins with; the rest is a UUIDv7 in base32, so ids sort by age. */
export const ID_PREFIXES = {
  project: 'prj',
  user: 'usr',
  run: 'run',
  task: 'task',
  attempt: 'att',
  dependency: 'dep',
  checkpoint: 'chk',
  worker: 'wrk',
  artifact: 'art',
  note: 'note',
  timer: 'tmr',
  apiKey: 'key',
  joinToken: 'jtk',
  session: 'ses',
  upload: 'upl',
  await: 'awt',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** A generated id: prefix, underscore, 26 characters of lower-case Crockford base32. */
export function isGeneratedId(kind: IdKind, text: string): boolean {
  const prefix = `${ID_PREFIXES[kind]}_`;
  return text.startsWith(prefix) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefix.length));
}

/** An id in a path or body. Also a client-chosen one, a name or a unique prefix where the route says so. */
export const anyId = z.string().min(1).max(128);

/** An id that a client chose for a task: `[A-Za-z0-9_-]{1,64}`, unique in its project. */
export const clientTaskId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of letters, digits, "_" or "-"');

/** The name of a task inside its run. */
export const taskKey = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9, "_" or "-", beginning with a letter or digit',
  );

/** The name of a contract inside its task. */
export const contractKey = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    'must be 1 to 63 of letters, digits, "_", "." or "-", beginning with a letter or digit',
  );

/** ISO 8601 instant in UTC, milliseconds. */
export const instant = z.iso.datetime();
