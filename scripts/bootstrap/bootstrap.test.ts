import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from './build.mjs';
import { wantsEngines } from './engines.mjs';
import { firstDifference } from './install.mjs';
import { majorOf } from './postgres-binaries.mjs';
import { serverOwner } from './postgres.mjs';
import { CACHE, ROOT, toolScript } from './paths.mjs';
import { capture, userEnv } from './process.mjs';
import { Report } from './report.mjs';
import { countTests, flakyTests } from './vitest.mjs';

describe('install', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/native-mac': { version: '1.0.0', optional: true },
  };

  test('is not due when all is there, without the optional packages of other platforms', () => {
    expect(firstDifference(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBeUndefined();
  });

  test.each([
    ['a package is missing', {}, 'node_modules/a is not installed'],
    [
      'a version differs',
      { 'node_modules/a': { version: '0.9.0' } },
      'node_modules/a is 0.9.0, the lockfile says 1.0.0',
    ],
    [
      'a package is left over',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
      'node_modules/b is not in the lockfile',
    ],
  ])('is due when %s', (_, installed, why) => {
    expect(firstDifference(wanted, installed)).toBe(why);
  });
});

describe('the count of tests', () => {
  const file = (status: string, ...tests: string[]) => ({
    name: '/a.test.ts',
    status,
    assertionResults: tests.map((test) => ({ status: test, fullName: 'x', failureMessages: [] })),
  });
  const result = (passed: number, failed: number, testResults: ReturnType<typeof file>[]) => ({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults,
  });

  test('is that of the report', () => {
    const counts = countTests(result(2, 1, [file('failed', 'passed', 'passed', 'failed')]), 1);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test('includes files that did not load', () => {
    expect(countTests(result(1, 0, [file('passed', 'passed'), file('failed')]), 1).failed).toBe(1);
  });

  test('is never without a failure when the runner failed', () => {
    expect(countTests(result(1, 0, [file('passed', 'passed')]), 1).failed).toBe(1);
  });
});

test('a test that passed on its second try only is named, whatever failed the first time', async () => {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'flaky-'));
  try {
    writeFileSync(
      join(folder, 'a.test.mjs'),
      `import { expect, onTestFinished, test } from 'vitest';
      let tries = 0;
      test('fails once', () => { tries += 1; expect(tries).toBe(2); });
      let cleanups = 0;
      test('is not cleaned up once', () => {
        onTestFinished(() => { cleanups += 1; if (cleanups === 1) throw new Error('not clean'); });
      });
      test('always passes', () => {});
      test('never passes', () => { expect(1).toBe(2); });`,
    );
    writeFileSync(join(folder, 'vitest.config.mjs'), 'export default { test: { retry: 1 } };');
    const outputFile = join(folder, 'result.json');
    const args = ['run', '--root', folder, '--reporter=json', `--outputFile.json=${outputFile}`];
    const { code } = await capture([process.execPath, toolScript('vitest'), ...args]);
    const result: Parameters<typeof flakyTests>[0] = JSON.parse(readFileSync(outputFile, 'utf8'));
    expect(countTests(result, code)).toEqual({ passed: 3, failed: 1, skipped: 0 });
    const path = relative(ROOT, join(folder, 'a.test.mjs'));
    expect(flakyTests(result)).toEqual([
      `${path} > fails once`,
      `${path} > is not cleaned up once`,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 300_000);

describe('the report', () => {
  test('goes on after a failed step, shows its output, and ends with the counts', async () => {
    const lines: string[] = [];
    const report = new Report((text) => void lines.push(text));
    await report.step('prepares', () => ({ ok: true }), { counts: false });
    await report.step('fails', () => ({ ok: false, output: 'this is why\n' }));
    await report.step('throws', () => Promise.reject(new Error('broken')));
    await report.step('works', () => ({ ok: true, output: 'not shown' }));
    report.add({ passed: 3, failed: 0, skipped: 2 });
    expect(report.finish()).toBe(1);
    expect(lines.at(-1)).toBe('4 passed, 2 failed, 2 skipped\n');
    expect(lines.join('')).toMatch(/^ {8}this is why$/m);
    expect(lines.join('')).toContain('Error: broken');
    expect(lines.join('')).not.toContain('not shown');
  });

  test('names what needed a second try above the counts', () => {
    const lines: string[] = [];
    const report = new Report((text) => void lines.push(text));
    report.add({ passed: 2, failed: 0, skipped: 0, flaky: ['e2e/a.test.ts > awaits'] });
    expect(report.finish()).toBe(0);
    expect(lines).toEqual(['flaky: e2e/a.test.ts > awaits\n', '2 passed, 0 failed\n']);
  });

  test('names a step while it runs where somebody looks', async () => {
    const texts: string[] = [];
    const report = new Report((text) => void texts.push(text), true);
    await report.step('builds', () => ({ ok: texts.join('') === '...     builds\r' }));
    expect(texts.at(-1)).toMatch(/^ok {6}builds {2}/);
  });

  test('is a success without failures', async () => {
    const lines: string[] = [];
    const report = new Report((text) => void lines.push(text));
    await report.step('works', () => ({ ok: true }));
    expect(report.finish()).toBe(0);
    expect(lines.at(-1)).toBe('1 passed, 0 failed\n');
  });
});

test('the digest of sources changes with content, name and deletion', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-digest-'));
  try {
    const digests = new Set([digestOf([folder])]);
    writeFileSync(join(folder, 'a'), 'x');
    digests.add(digestOf([folder]));
    writeFileSync(join(folder, 'a'), 'y');
    digests.add(digestOf([folder]));
    rmSync(join(folder, 'a'));
    writeFileSync(join(folder, 'b'), 'y');
    digests.add(digestOf([folder]));
    expect(digests.size).toBe(4);
    rmSync(join(folder, 'b'));
    expect(digests).toContain(digestOf([folder]));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', 15],
  ['postgres (PostgreSQL) 19beta2', 19],
  ['not installed, run apt install', 0],
])('the major version in "%s" is %i', (text, major) => {
  expect(majorOf(text)).toBe(major);
});

describe('the user that PostgreSQL runs as', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';

  test('is ourselves unless we are root', () => {
    expect(serverOwner(1000, passwd)).toBeUndefined();
  });

  test('is postgres before nobody for root', () => {
    expect(serverOwner(0, passwd)).toEqual({ uid: 65534, gid: 65534 });
    expect(serverOwner(0, `${passwd}postgres:x:101:104::/:/bin/sh\n`)).toEqual({
      uid: 101,
      gid: 104,
    });
  });

  test('cannot be root', () => {
    expect(() => serverOwner(0, 'root:x:0:0::/root:/bin/sh\n')).toThrow('refuses root');
  });
});

test('a program started by us does not see what npm put into the environment', () => {
  const env = userEnv({
    PATH: ['/repo/node_modules/.bin', '/usr/bin'].join(':'),
    HOME: '/home/a',
    INIT_CWD: '/repo',
    npm_lifecycle_event: 'start',
    npm_package_name: 'x',
    npm_config_registry: 'https://mirror.example/',
  });
  expect(env).toEqual({
    PATH: '/usr/bin',
    HOME: '/home/a',
    npm_config_registry: 'https://mirror.example/',
  });
});

test('a program that cannot be started is a failure with its reason', async () => {
  const { code, output } = await capture(['/nonexistent/program']);
  expect(code).toBe(127);
  expect(output).toContain('ENOENT');
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s reaches the program in the foreground, and its exit code comes back',
  async (signal) => {
    const program = `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up');`;
    const script = `
      import { foreground } from '${import.meta.dirname}/process.mjs';
      process.exit(await foreground([process.execPath, '-e', ${JSON.stringify(program)}]));
    `;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    holder.kill(signal);
    expect(await new Promise((resolve) => holder.once('exit', resolve))).toBe(7);
  },
);

test('the real agents are used in continuous integration and on request only', () => {
  expect(wantsEngines({})).toBe(false);
  expect(wantsEngines({ CI: 'false' })).toBe(false);
  expect(wantsEngines({ CI: 'true' })).toBe(true);
  expect(wantsEngines({ BATON_TEST_ENGINES: '1' })).toBe(true);
});
