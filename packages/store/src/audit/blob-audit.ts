import { z } from 'zod';
import type { Db } from '../db.ts';
import { statement } from '../statement.ts';
import type { AuditFinding } from './run-audit.ts';

const PAGE = 1_000;
const FAULTS_MAX = 20;

/** Artifacts by id, with the blob that holds their content. */
export const listArtifactBlobs = statement({
  name: 'listArtifactBlobs',
  args: (after: string) => [after, PAGE],
  row: z.strictObject({
    id: z.string(),
    project: z.string(),
    sha256: z.string(),
    size: z.int(),
    isPromised: z.boolean(),
  }),
  sql: `
    select f.id, f.project_id as project, f.sha256, f.size, a.status = 'succeeded' as "isPromised"
      from artifacts f
      join attempts a
        on a.id = f.attempt_id
     where f.id > $1
     order by f.id
     limit $2`,
});

/** What is known of a blob; undefined when it is not there. */
export type FindBlob = (project: string, sha256: string) => Promise<number | undefined>;

/**
 * Looks for the content of every artifact of an attempt that succeeded; others may have announced what
 * never came. `findBlob` tells the size of a blob.
 */
export async function auditBlobs(db: Pick<Db, 'query'>, findBlob: FindBlob): Promise<AuditFinding> {
  const faults: { subject: string; found: string }[] = [];
  let count = 0;
  let after = '';
  for (;;) {
    const page = await db.query(listArtifactBlobs, after);
    for (const artifact of page) {
      if (!artifact.isPromised) continue;
      const size = await findBlob(artifact.project, artifact.sha256);
      if (size === artifact.size) continue;
      count += 1;
      const found =
        size === undefined
          ? `its blob ${artifact.sha256} is not there`
          : `its blob has ${size} bytes in place of ${artifact.size}`;
      if (faults.length < FAULTS_MAX) faults.push({ subject: artifact.id, found });
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) break;
    after = last.id;
  }
  return {
    id: 'artifact-blob',
    invariant: 'A49',
    words: 'The content of every artifact of an attempt that succeeded is stored.',
    count,
    faults,
  };
}
