import { detectAgent } from '../detect-agent.ts';
import type { Detection, Env } from '../engine.ts';
import { parseObject } from '../loose-json.ts';
import { runProgram } from '../program.ts';

/** The newest version that this adapter was tried with. */
export const claudeTestedVersion = '2.1.328';

/** Variables that log Claude Code in by themselves. */
const authVariables = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CODE_USE_FOUNDRY',
];

/** Looks for Claude Code and asks it whether it is logged in. */
export function detectClaude(env: Env): Promise<Detection> {
  return detectAgent(env, {
    program: 'claude',
    testedVersion: claudeTestedVersion,
    install: `npm install -g @anthropic-ai/claude-code@${claudeTestedVersion}`,
    login: 'run `claude auth login`, or set ANTHROPIC_API_KEY',
    auth: (path) => authOf(path, env),
  });
}

async function authOf(path: string, env: Env): Promise<Detection['auth']> {
  if (authVariables.some((name) => (env[name] ?? '') !== '')) return 'ok';
  const answer = await runProgram(path, ['auth', 'status'], env);
  const loggedIn = parseObject(answer.stdout)?.['loggedIn'];
  if (typeof loggedIn !== 'boolean') return 'unknown';
  return loggedIn ? 'ok' : 'missing';
}
