import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installInto } from './install.mjs';
import { CACHE } from './paths.mjs';
import { firstThatRuns } from './programs.mjs';

/**
 * Agent programs that whole-product tests drive against a scripted model server. Hundreds of MB, so
 * they are never dependencies: exact versions come into the cache, and only when asked for.
 */
const ENGINES = [
  { env: 'BATON_TEST_CLAUDE', bin: 'claude', npm: '@anthropic-ai/claude-code', version: '2.1.328' },
  { env: 'BATON_TEST_CODEX', bin: 'codex', npm: '@openai/codex', version: '0.169.0' },
];

/** Whether this run uses the real agent programs. */
export function wantsEngines(env = process.env) {
  return isSet(env.CI) || env.BATON_TEST_ENGINES === '1';
}

/** @param {string | undefined} value */
function isSet(value) {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}

/** Whether this is a run of continuous integration. */
export function isCi(env = process.env) {
  return isSet(env.CI);
}

/**
 * Fetches what is not in the cache yet and tries each program.
 * @returns {Promise<{ env: Record<string, string>, found: string[], missing: string[] }>} paths by variable name
 */
export async function prepareEngines() {
  /** @type {Record<string, string>} */
  const env = {};
  const found = [];
  const missing = [];
  for (const engine of ENGINES) {
    const name = `${engine.npm}@${engine.version}`;
    const folder = join(CACHE, 'engines', `${engine.npm.split('/').at(-1)}@${engine.version}`);
    const failure = await fetchEngine(folder, name);
    const program = await firstThatRuns([join(folder, 'node_modules/.bin', engine.bin)]);
    if (program === undefined) {
      missing.push(`${name}: ${failure ?? 'installed, but it does not run here'}`);
      continue;
    }
    env[engine.env] = program.path;
    found.push(`${engine.bin} ${engine.version}`);
  }
  return { env, found, missing };
}

/**
 * @param {string} folder where it ends up; only a complete install is ever there
 * @param {string} name `package@version`
 * @returns {Promise<string | undefined>} why it failed
 */
async function fetchEngine(folder, name) {
  if (existsSync(folder)) return undefined;
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, 'package.json'), '{ "private": true }\n');
  process.stdout.write(`npm install ${name}  (into .cache/engines; hundreds of MB, once)\n`);
  const { code, output } = await installInto(partial, [name]);
  if (code === 0 && !existsSync(folder)) renameSync(partial, folder);
  rmSync(partial, { recursive: true, force: true });
  return code === 0 ? undefined : `npm install failed: ${output.trim().split('\n').at(-1)}`;
}
