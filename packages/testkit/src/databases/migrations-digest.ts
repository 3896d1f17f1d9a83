import { createHash } from 'node:crypto';
import { listMigrations } from '@baton/store';

/** Names a template: other migrations, other template. 16 hex digits. */
export async function migrationsDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, sha256 } of await listMigrations()) hash.update(`${name} ${sha256}\n`);
  return hash.digest('hex').slice(0, 16);
}
