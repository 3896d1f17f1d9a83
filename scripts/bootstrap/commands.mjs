import { mkdirSync } from 'node:fs';
import { buildDashboard, buildPackages } from './build.mjs';
import { devServers } from './dev.mjs';
import { install } from './install.mjs';
import { fromRoot, toolScript } from './paths.mjs';
import { missingPrerequisite } from './preflight.mjs';
import { foreground, NODE_FLAGS, userEnv } from './process.mjs';
import { Report } from './report.mjs';
import { missingIsFailure, noServices, preparePostgres, prepareServices } from './services.mjs';
import { typesOfTests, staticChecks } from './static-checks.mjs';
import { runVitest } from './vitest.mjs';

/** What the started program prints on standard output may be read by another: keep out of it. */
const toStderr = (/** @type {string} */ text) => void process.stderr.write(text);

/** @typedef {readonly string[]} Args what was given after the command's name */

/**
 * Installs, builds and starts the product.
 * @param {Args} args handed to `baton up`
 */
export async function start(args) {
  const report = new Report(toStderr, process.stderr.isTTY);
  if (!(await prepare(report))) return 1;
  const command = [process.execPath, ...NODE_FLAGS, fromRoot('apps/cli/bin/baton.js'), 'up'];
  return foreground([...command, ...args], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: userEnv(),
  });
}

/**
 * The whole test run. With arguments only the tests they name: they are handed to Vitest.
 * @param {Args} args
 */
export async function test(args) {
  const report = new Report();
  if (!(await installed(report))) return report.finish();
  await built(report, true);
  const services = await withReport(report, prepareServices);
  try {
    if (args.length === 0) await runStatic(report);
    report.add(await runVitest(args, services.env));
  } finally {
    await services.stop();
  }
  return report.finish();
}

/** Everything that needs no services and no long tests: types, lint, format, unused, layers, tidy. */
export async function check() {
  const report = new Report();
  if (!(await installed(report))) return report.finish();
  await built(report, true);
  await runStatic(report);
  report.add(await runVitest(['scripts/check'], {}));
  return report.finish();
}

/** Installs and builds. */
export async function build() {
  return (await prepare(new Report(toStderr, process.stderr.isTTY))) ? 0 : 1;
}

/**
 * Server, worker and dashboard that follow the sources.
 * @param {Args} args handed to `baton up`
 */
export async function dev(args) {
  if (!(await prepare(new Report(toStderr, process.stderr.isTTY)))) return 1;
  return devServers(args);
}

/**
 * Builds, starts a PostgreSQL to compare with, and measures.
 * @param {Args} args handed to the benchmark
 */
export async function bench(args) {
  const report = new Report(toStderr, process.stderr.isTTY);
  if (!(await prepare(report))) return 1;
  const services = await withReport(report, preparePostgres);
  try {
    return await foreground(
      [process.execPath, toolScript('tsx'), ...NODE_FLAGS, fromRoot('bench/src/main.ts'), ...args],
      { env: { ...userEnv(), ...services.env } },
    );
  } finally {
    await services.stop();
  }
}

/** @param {Report} report */
async function prepare(report) {
  return (await installed(report)) && (await built(report, false));
}

/** @param {Report} report */
async function installed(report) {
  const missing = await missingPrerequisite();
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`);
    report.failed += 1;
    return false;
  }
  mkdirSync(fromRoot('.cache'), { recursive: true });
  return report.step('install', install, { counts: false });
}

/**
 * @param {Report} report
 * @param {boolean} counts whether compiling is one of the checks
 */
async function built(report, counts) {
  const packages = await report.step('types', buildPackages, { counts });
  const dashboard = await report.step('dashboard', buildDashboard, { counts });
  return packages && dashboard;
}

/** @param {Report} report */
async function runStatic(report) {
  await report.step('types of tests and scripts', typesOfTests);
  for (const { name, run } of staticChecks) await report.step(name, run);
}

/**
 * Prepares services as a step of the report; whatever is missing gets a line of its own.
 * @param {Report} report
 * @param {() => Promise<import('./services.mjs').Services>} prepareThem
 */
async function withReport(report, prepareThem) {
  let services = noServices();
  const prepareAndTell = async () => {
    services = await prepareThem();
    for (const line of services.missing) process.stdout.write(`missing: ${line}\n`);
    return { ok: !missingIsFailure(services), note: services.found.join(' · ') };
  };
  await report.step('services', prepareAndTell, { counts: false });
  return services;
}
