import { toolScript } from './paths.mjs';
import { capture } from './process.mjs';

/** @typedef {import('./report.mjs').StepResult} StepResult */

/** Tests, scripts and benchmarks are no part of any workspace's own compilation. */
export function typesOfTests() {
  return tool('typescript', 'tsc', ['-b', 'tsconfig.tests.json']);
}

/** The dashboard is compiled by its bundler, which does not look at types. */
function typesOfDashboard() {
  return tool('typescript', 'tsc', ['-b', 'apps/dashboard']);
}

/** Checks that read sources only; each counts as one in the result. */
export const staticChecks = [
  { name: 'types of the dashboard', run: typesOfDashboard },
  { name: 'lint', run: () => tool('oxlint', 'oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'format', run: () => tool('oxfmt', 'oxfmt', ['--check']) },
  { name: 'unused', run: () => tool('knip', 'knip', ['--no-progress', '--no-config-hints']) },
];

/**
 * @param {string} packageName
 * @param {string} bin
 * @param {readonly string[]} args
 * @returns {Promise<StepResult>}
 */
async function tool(packageName, bin, args) {
  const { code, output } = await capture([process.execPath, toolScript(packageName, bin), ...args]);
  return { ok: code === 0, output };
}
