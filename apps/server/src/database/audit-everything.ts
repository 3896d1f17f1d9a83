import {
  auditBlobs,
  auditDatabase,
  directoryBlobs,
  type AuditFinding,
  type Db,
} from '@baton/store';

/** Every rule that rows and blobs can be held against. */
export async function auditEverything(
  db: Db,
  blobsDirectory: string,
): Promise<readonly AuditFinding[]> {
  const rows = await auditDatabase(db);
  return [...rows, await auditBlobs(db, directoryBlobs(blobsDirectory).find)];
}
