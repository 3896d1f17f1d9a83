import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Whole-product tests run the built binary; without it they would all fail with the same riddle.
const built = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));
if (!existsSync(built)) {
  throw new Error(`The product is not built (${built} is missing). Run: npm run build`);
}
