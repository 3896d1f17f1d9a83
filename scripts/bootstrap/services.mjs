// Everything that tests need from the machine, prepared once before the runner. Tests never install
// or start services: they read the variables set here and skip, with a reason, when one is not set.
import { isCi, prepareEngines, wantsEngines } from './engines.mjs';
import { findSystemPostgres, fetchNpmPostgres } from './postgres-binaries.mjs';
import { startPostgres } from './postgres.mjs';
import { aptInstall, aptPermission, firstThatRuns, onPath } from './programs.mjs';

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const PROGRAMS = [
  {
    variable: 'BATON_TEST_TMUX',
    apt: 'tmux',
    tests: 'terminal tests',
    find: () => firstThatRuns(onPath(['tmux']), '-V'),
  },
  {
    variable: 'BATON_TEST_CHROMIUM',
    apt: 'chromium',
    tests: 'browser tests',
    find: () =>
      firstThatRuns(
        [process.env.BATON_TEST_CHROMIUM ?? '', ...onPath(CHROMIUM_NAMES)].filter(Boolean),
      ),
  },
];

/**
 * @typedef {{
 *   env: Record<string, string>, found: string[], missing: string[], stop: () => Promise<void>
 * }} Services `missing` says what is not there and the command that changes it
 */

/** @returns {Services} what a run starts with */
export function noServices() {
  return { env: {}, found: [], missing: [], stop: async () => {} };
}

/**
 * Finds, installs where allowed, and starts the services of a test run.
 * @returns {Promise<Services>} the caller must call `stop`
 */
export async function prepareServices() {
  const services = noServices();
  const aptFailure = await installMissingPackages();
  if (aptFailure !== undefined) services.missing.push(aptFailure);
  await addPrograms(services);
  await addPostgres(services);
  await addEngines(services);
  return services;
}

/**
 * Only PostgreSQL, for the benchmarks.
 * @returns {Promise<Services>} the caller must call `stop`
 */
export async function preparePostgres() {
  const services = noServices();
  await addPostgres(services);
  return services;
}

/**
 * A run of continuous integration as root can have everything, so there a missing service is a failure.
 * @param {Services} services
 * @returns {boolean}
 */
export function missingIsFailure(services) {
  return services.missing.length > 0 && isCi() && process.getuid?.() === 0;
}

/** @returns {Promise<string | undefined>} what went wrong */
async function installMissingPackages() {
  if (!aptPermission().allowed) return undefined;
  const wanted = [];
  if (!process.env.BATON_TEST_DATABASE_URL && (await findSystemPostgres()) === undefined) {
    wanted.push('postgresql');
  }
  for (const program of PROGRAMS) {
    if ((await program.find()) === undefined) wanted.push(program.apt);
  }
  if (wanted.length === 0) return undefined;
  const { ok, output } = await aptInstall(wanted);
  return ok ? undefined : `apt-get could not install ${wanted.join(' ')}:\n${output}`;
}

/** @param {Services} services */
async function addPrograms(services) {
  for (const { variable, apt, tests, find } of PROGRAMS) {
    const program = await find();
    if (program === undefined) {
      services.missing.push(`${apt} (${tests} are skipped). Install it: ${howToInstall(apt)}`);
      continue;
    }
    services.env[variable] = program.path;
    services.found.push(program.version.split(' ').slice(0, 2).join(' '));
  }
}

/** @param {Services} services */
async function addPostgres(services) {
  const given = process.env.BATON_TEST_DATABASE_URL;
  if (given) {
    services.env.BATON_TEST_DATABASE_URL = given;
    services.found.push('PostgreSQL of BATON_TEST_DATABASE_URL');
    return;
  }
  try {
    const binaries = (await findSystemPostgres()) ?? (await fetchNpmPostgres());
    const server = await startPostgres(binaries);
    services.env.BATON_TEST_DATABASE_URL = server.url;
    // For tests that stop and start a server of their own.
    services.env.BATON_TEST_POSTGRES_BIN = server.bin;
    services.stop = server.stop;
    const version = /\d+\.\d+/.exec(binaries.version)?.[0] ?? '';
    services.found.push(`PostgreSQL ${version} (${binaries.origin})`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    services.missing.push(
      `PostgreSQL (its tests are skipped): ${reason.trim()}\n` +
        `Install it: ${howToInstall('postgresql')}, or give a server of your own in BATON_TEST_DATABASE_URL`,
    );
  }
}

/** @param {Services} services */
async function addEngines(services) {
  if (!wantsEngines()) {
    services.found.push(
      'agents: recorded streams and fake CLIs stand in (the real ones: BATON_TEST_ENGINES=1 npm test)',
    );
    return;
  }
  const engines = await prepareEngines();
  Object.assign(services.env, engines.env);
  services.found.push(...engines.found);
  services.missing.push(...engines.missing);
}

/** @param {string} aptPackage */
function howToInstall(aptPackage) {
  if (process.platform === 'darwin') return `brew install ${aptPackage}`;
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return `${sudo}apt-get install -y --no-install-recommends ${aptPackage}`;
}
