import { runCheck, type AuditFault, type Db } from '@baton/store';

/** What a query says, as the auditor would: rows of `subject` and `found`, both text; at most 20. */
export async function look(db: Pick<Db, 'exclusive'>, sql: string): Promise<readonly AuditFault[]> {
  const asked = { id: `look-${sql.length}`, invariant: '', words: '', sql };
  return (await db.exclusive((admin) => runCheck(admin, asked))).faults;
}
