/** What one replica tells the others. */
export interface Hint {
  /** Of this life of the replica. */
  readonly from: string;
  /** Fingerprint of the installation it belongs to. */
  readonly instance?: string;
  /** How far the feed goes, as far as it knows. */
  readonly pos: number;
  /** It has just come, and asks who else is there. */
  readonly hello?: true;
  /** Attempts that wrote output. */
  readonly logs?: readonly string[];
  /** Credentials that were taken back. */
  readonly revoked?: readonly string[];
}

/** What of each list goes into one hint at most: PostgreSQL takes 8,000 bytes. */
export const namesMax = 90;

/** One line of JSON of at most 7,000 bytes, for names of up to 34. */
export function encodeHint(hint: Hint): string {
  return JSON.stringify(hint);
}

/** Undefined for what this version does not understand. */
export function decodeHint(text: string): Hint | undefined {
  let said: Readonly<Record<string, unknown>>;
  try {
    said = Object(JSON.parse(text)) as typeof said;
  } catch {
    return undefined;
  }
  const { from, pos, instance } = said;
  if (typeof from !== 'string' || !isPosition(pos)) return undefined;
  return {
    from,
    pos,
    ...(typeof instance === 'string' ? { instance } : {}),
    ...(said['hello'] === true ? { hello: true } : {}),
    logs: namesOf(said['logs']),
    revoked: namesOf(said['revoked']),
  };
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((it) => typeof it === 'string') : [];
}
