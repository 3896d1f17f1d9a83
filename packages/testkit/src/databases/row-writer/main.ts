// Writes rows 1, 2, 3 ... one transaction each, and prints a number once its commit was acknowledged.
// Runs until it is killed: `node main.ts <data directory or URL> <first number>`.
import * as z from 'zod';
import { bind, openPglite, openPostgres, statement } from '@baton/store';

const insertRow = statement({
  name: 'insertRow',
  args: (id: number) => [id],
  row: z.strictObject({}),
  sql: `insert into written (id) values ($1)`,
});

const [location = '', first = '1'] = process.argv.slice(2);
const db = location.startsWith('postgres')
  ? await openPostgres({ url: location })
  : await openPglite({ dataDir: location });
for (let id = Number(first); ; id += 1) {
  await db.transaction((tx) => tx.commitWith([bind(insertRow, id)]));
  process.stdout.write(`${id}\n`);
}
