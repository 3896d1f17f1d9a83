import { z } from 'zod';

/** What one replica tells the others. */
export interface Hint {
  /** Of this life of the replica. */
  readonly from: string;
  /** Fingerprint of the installation it belongs to. */
  readonly instance?: string | undefined;
  /** How far the feed goes, as far as it knows. */
  readonly pos: number;
  /** It has just come, and asks who else is there. */
  readonly hello?: true | undefined;
  /** Attempts that wrote output. */
  readonly logs?: readonly string[] | undefined;
  /** Credentials that were taken back. */
  readonly revoked?: readonly string[] | undefined;
}

/** What of each list goes into one hint at most: PostgreSQL takes 8,000 bytes. */
export const namesMax = 90;

const schema = z.object({
  from: z.string(),
  instance: z.string().optional(),
  pos: z.int().nonnegative(),
  hello: z.literal(true).optional(),
  logs: z.array(z.string()).optional(),
  revoked: z.array(z.string()).optional(),
});

/** One line of JSON of at most 7,000 bytes, for names of up to 34. */
export function encodeHint(hint: Hint): string {
  return JSON.stringify(hint);
}

/** Undefined for what this version does not understand. */
export function decodeHint(text: string): Hint | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
