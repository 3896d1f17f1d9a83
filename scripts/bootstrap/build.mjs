import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromRoot, toolScript } from './paths.mjs';
import { capture } from './process.mjs';

const DASHBOARD = 'apps/dashboard';

/** Everything the dashboard's bundle is made of. */
const DASHBOARD_INPUTS = [
  `${DASHBOARD}/src`,
  `${DASHBOARD}/public`,
  `${DASHBOARD}/index.html`,
  `${DASHBOARD}/package.json`,
  `${DASHBOARD}/vite.config.ts`,
  'packages/contract/src',
  'packages/kernel/src',
  'packages/sdk/src',
  'package-lock.json',
];

/**
 * Compiles all workspaces; incremental, well under a second when nothing changed.
 * @returns {Promise<import('./report.mjs').StepResult>}
 */
export async function buildPackages() {
  const { code, output } = await capture([
    process.execPath,
    toolScript('typescript', 'tsc'),
    '-b',
    'tsconfig.build.json',
  ]);
  return { ok: code === 0, output };
}

/**
 * Bundles the dashboard when what it is made of has changed since the last bundle.
 * @returns {Promise<import('./report.mjs').StepResult>}
 */
export async function buildDashboard() {
  const stamp = fromRoot(`${DASHBOARD}/dist/.built-from`);
  const digest = digestOf(DASHBOARD_INPUTS.map(fromRoot));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
    return { ok: true, note: 'up to date' };
  }
  const { code, output } = await capture([process.execPath, toolScript('vite'), 'build'], {
    cwd: fromRoot(DASHBOARD),
  });
  if (code === 0) writeFileSync(stamp, digest);
  return { ok: code === 0, output };
}

/**
 * One digest over names and contents: also notices deleted and renamed files, which times do not.
 * @param {readonly string[]} paths files or folders; absent ones count as absent
 * @returns {string}
 */
export function digestOf(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(filesUnder)) {
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => filesUnder(join(path, name)));
}
