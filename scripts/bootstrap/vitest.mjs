import { existsSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT, fromRoot, toolScript } from './paths.mjs';
import { foreground, userEnv } from './process.mjs';

/**
 * The part of Vitest's JSON report that is counted.
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: {
 *     name: string, status: string,
 *     assertionResults: { status: string, fullName: string, failureMessages: string[] }[]
 *   }[]
 * }} VitestResult
 */

/**
 * Runs Vitest in the foreground and counts from its report, never from its text.
 * @param {readonly string[]} args
 * @param {Record<string, string>} serviceEnv what the services gave
 */
export async function runVitest(args, serviceEnv) {
  const resultFile = fromRoot('.cache/vitest-result.json');
  rmSync(resultFile, { force: true });
  const code = await foreground(
    [
      process.execPath,
      toolScript('vitest'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${resultFile}`,
      ...args,
    ],
    { env: { ...testEnv(), ...serviceEnv } },
  );
  if (!existsSync(resultFile)) return { passed: 0, failed: 1, skipped: 0, flaky: [] };
  const result = JSON.parse(readFileSync(resultFile, 'utf8'));
  return { ...countTests(result, code), flaky: flakyTests(result) };
}

/**
 * A file that does not load has no failed test, and an error outside of all tests fails no file: both
 * must still count, so a failed run never counts zero failures.
 * @param {VitestResult} result
 * @param {number} exitCode of Vitest
 */
export function countTests(result, exitCode) {
  const brokenFiles = result.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  ).length;
  const failed = result.numFailedTests + brokenFiles;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

/**
 * Names of the tests that passed on a second try only. A test that passed keeps the failures of its
 * first try in the report; one that passed at once has none.
 * @param {VitestResult} result
 */
export function flakyTests(result) {
  return result.testResults.flatMap((file) =>
    file.assertionResults
      .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
      .map(({ fullName }) => `${relative(ROOT, file.name)} > ${fullName}`),
  );
}

/** A developer's own `BATON_URL` or `BATON_API_KEY` must not lead tests to a server in use. */
function testEnv() {
  const env = userEnv();
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith('BATON_') || name.startsWith('BATON_TEST_'),
    ),
  );
}
