import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { detectAgent } from '../detect-agent.ts';
import type { Detection, Env } from '../engine.ts';
import { isReadable, runProgram } from '../program.ts';
import { codexHome } from './home.ts';

/** The newest version that this adapter was tried with. */
export const codexTestedVersion = '0.169.0';

/** Looks for Codex and finds out whether it is logged in. */
export function detectCodex(env: Env): Promise<Detection> {
  return detectAgent(env, {
    program: 'codex',
    testedVersion: codexTestedVersion,
    install: `npm install -g @openai/codex@${codexTestedVersion}`,
    login: 'run `codex login`, or set CODEX_API_KEY',
    auth: (path) => authOf(path, env),
  });
}

async function authOf(path: string, env: Env): Promise<Detection['auth']> {
  if ((env['CODEX_API_KEY'] ?? '') !== '') return 'ok';
  const home = codexHome(env);
  if (home !== undefined && (await isReadable(join(home, 'auth.json')))) return 'ok';
  // Another provider has its own key, by a variable that only its first call misses.
  if (home !== undefined && (await namesProvider(join(home, 'config.toml')))) return 'unknown';
  const answer = await runProgram(path, ['login', 'status'], env);
  if (answer.code === 0) return 'ok';
  return answer.code === null ? 'unknown' : 'missing';
}

async function namesProvider(configPath: string): Promise<boolean> {
  try {
    return /^\s*model_provider\s*=/m.test(await readFile(configPath, 'utf8'));
  } catch {
    return false;
  }
}
