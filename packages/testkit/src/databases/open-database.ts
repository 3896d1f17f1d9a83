import type { Db } from '@baton/store';
import type { OpenDatabase } from './fresh-databases.ts';

/** An `OpenDatabase` that closes all it ever opened before `remove`. */
export async function openDatabase(parts: {
  readonly location: string;
  readonly open: () => Promise<Db>;
  readonly remove: () => Promise<void>;
}): Promise<OpenDatabase> {
  const opened: Db[] = [];
  const reopen = async (): Promise<Db> => {
    const db = await parts.open();
    opened.push(db);
    return db;
  };
  return {
    db: await reopen(),
    location: parts.location,
    reopen,
    async close() {
      await Promise.all(opened.map((db) => db.close()));
      await parts.remove();
    },
  };
}
