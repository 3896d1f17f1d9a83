#!/usr/bin/env node
// Committed plain JavaScript: npm links a bin only if the file exists at install time.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
if (!existsSync(fileURLToPath(built))) {
  process.stderr.write('baton is not built yet. Run `npm run build` in the checkout first.\n');
  process.exit(69);
}
await import(built.href);
