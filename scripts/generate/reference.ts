import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referenceFiles } from '@baton/cli';

/** Writes the pages that are made from the code. Run with `npx tsx --conditions=source`. */
const files = Object.entries(referenceFiles());
for (const [path, content] of files) {
  const target = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}
process.stdout.write(`wrote ${files.map(([path]) => path).join(', ')}\n`);
