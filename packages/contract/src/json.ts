import { z } from 'zod';

/** Any JSON value; what people and agents pass through Baton without Baton reading it. */
export type Json = z.infer<typeof json>;

/** Any JSON value. */
export const json = z.json();

/** A JSON object whose keys Baton does not interpret. */
export const jsonObject = z.record(z.string(), json);
