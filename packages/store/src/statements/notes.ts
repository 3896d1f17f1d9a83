import type { NoteRow } from '@baton/kernel';
import type { Asker } from '../db.ts';
import { statement } from '../statement.ts';
import { TABLES } from '../tables.ts';
import { afterKey, type PageKey } from './filter.ts';

const row = TABLES.notes.row;
const SELECT = `
    select ${TABLES.notes.select('n')}
      from notes n`;

export const noteById = statement({
  name: 'noteById',
  args: (task: string, id: string) => [task, id],
  row,
  sql: `${SELECT}
     where n.id = $2
       and n.task_id = $1`,
});

export const notesPage = statement({
  name: 'notesPage',
  args: (task: string, limit: number, after: PageKey | undefined) => [
    task,
    ...afterKey(after),
    limit,
  ],
  row,
  sql: `${SELECT}
     where n.task_id = $1
       and (n.created_at, n.id) > ($2::timestamptz, $3)
     order by n.created_at, n.id
     limit $4`,
});

/** A note on a task. */
export async function findNote(
  queries: Asker,
  task: string,
  id: string,
): Promise<NoteRow | undefined> {
  const [found] = await queries.query(noteById, task, id);
  return found;
}

/** Notes on a task, oldest first, behind `after`. */
export function notesOfTask(
  queries: Asker,
  task: string,
  limit: number,
  after: PageKey | undefined,
): Promise<NoteRow[]> {
  return queries.query(notesPage, task, limit, after);
}
