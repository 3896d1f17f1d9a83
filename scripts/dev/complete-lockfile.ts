// Adds the platform packages that npm left out of package-lock.json because the registry in use does
// not carry them. Run it after installing a dependency: npx tsx scripts/dev/complete-lockfile.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../check/files.ts';
import { completed, missingOptionals, type LockPackages } from '../check/lockfile.ts';

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockPackages };
const missing = missingOptionals(lock.packages);
if (missing.length > 0) {
  lock.packages = completed(lock.packages);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`${missing.length} platform packages added to package-lock.json`);
