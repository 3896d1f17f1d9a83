import { z } from 'zod';

/** What a worker says of the work that it saved. */
export const savedWork = z.discriminatedUnion('format', [
  z.object({
    format: z.literal('bundle'),
    saved: z.literal(true),
    base: z.string().describe('commit that the work started from'),
    head: z.string().describe('last commit of the agent'),
    commit: z.string().describe('its parent is `head`, its tree all that lay there'),
  }),
  z.object({ format: z.literal('tar.gz'), saved: z.literal(true) }),
]);

/** Saved work, and the file that holds it. */
export interface SavedFile {
  readonly file: string;
  readonly meta: z.infer<typeof savedWork>;
}
