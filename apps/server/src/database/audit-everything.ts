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
  const blobs = directoryBlobs(blobsDirectory);
  return [...rows, await auditBlobs(db, (project, sha256) => blobs.find(project, sha256))];
}
