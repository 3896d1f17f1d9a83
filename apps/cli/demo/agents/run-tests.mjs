// A script that stands in for an agent: it runs the tests of what lies in front of it, which is a
// clean checkout of both builders' commits merged, and reports what they say.
import { execFileSync, spawnSync } from 'node:child_process';

const baton = (...args) => execFileSync('baton', args, { encoding: 'utf8' }).trim();
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

const commit = git('rev-parse', 'HEAD');
const dirty = git('status', '--porcelain', '--untracked-files=no');
console.log(`I am a script, not a model. I test ${commit.slice(0, 12)}.`);
if (dirty !== '') throw new Error(`the checkout is not clean:\n${dirty}`);

baton('task', 'progress', `testing ${commit.slice(0, 12)}`, '--percent', '50');
const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap'], { encoding: 'utf8' });
console.log(run.stdout);
const count = (name) => Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(run.stdout)?.[1] ?? 0);
const tests = { passed: count('pass'), failed: count('fail'), skipped: count('skipped') };

const input = JSON.stringify({ commit, passed: tests.passed, failed: tests.failed });
execFileSync('baton', ['task', 'output', 'set', 'test_results', '-'], { input });
const isGood = run.status === 0 && tests.failed === 0 && tests.passed > 0;
const summary = `${tests.passed} tests pass, ${tests.failed} fail at ${commit.slice(0, 12)}`;
baton(
  ...['task', 'done', '--result'],
  JSON.stringify({ status: isGood ? 'success' : 'failed', summary, tests }),
);
process.exit(isGood ? 0 : 1);
