import { z } from 'zod';
import { statement } from '../statement.ts';

/** Where the processes that share a database tell each other that there is something to look at. */
export const HINT_CHANNEL = 'baton_hints';

/** Tells everybody who listens, this process too, once it is committed. */
export const sendHint = statement({
  name: 'sendHint',
  args: (text: string) => [text],
  row: z.strictObject({ sent: z.int() }),
  sql: `
    select 1 as sent
      from pg_notify('${HINT_CHANNEL}', $1)`,
});
