/**
 * A client-chosen task id `X` is stored as `<project>.X`, so that it is unique in its project and found
 * only there; a dot is in no other id. This is the id as clients know it.
 */
export function publicTaskId(stored: string): string {
  return stored.slice(stored.indexOf('.') + 1);
}

/** The same for a field that may be empty. */
export function publicTaskIdOrNull(stored: string | null): string | null {
  return stored === null ? null : publicTaskId(stored);
}
