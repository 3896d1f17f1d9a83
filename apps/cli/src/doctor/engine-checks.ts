import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { Check, Finding } from './finding.ts';
import { findProgramVersion } from './program-version.ts';

/** An agent program as far as this page knows it; the workers' own detection is finer. */
interface EngineProgram {
  readonly engine: string;
  readonly program: string;
  /** Any of these variables or files (below the home directory) is a login. */
  readonly variables: readonly string[];
  readonly files: readonly string[];
  readonly install: string;
  readonly login: string;
}

const PROGRAMS: readonly EngineProgram[] = [
  {
    engine: 'claude',
    program: 'claude',
    variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    files: ['.claude/.credentials.json'],
    install: 'npm install --global @anthropic-ai/claude-code',
    login: 'Run claude once and log in, or set ANTHROPIC_API_KEY.',
  },
  {
    engine: 'codex',
    program: 'codex',
    variables: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
    files: ['.codex/auth.json'],
    install: 'npm install --global @openai/codex',
    login: 'Run codex login, or set OPENAI_API_KEY.',
  },
];

/** Agent programs on this machine: found, their version, logged in. */
export const ENGINE_CHECKS: readonly Check[] = PROGRAMS.map((it) => ({
  name: it.engine,
  look: (context) => lookAt(it, context),
}));

async function lookAt(it: EngineProgram, { env, client }: Context): Promise<Finding> {
  const found = await findProgramVersion(it.program, ['--version'], env);
  if (found === undefined) {
    return { level: 'note', text: 'not installed', fix: it.install };
  }
  const told = await client()
    .workers.list()
    .then(({ items }) =>
      items
        .flatMap(({ capabilities }) => capabilities.engines)
        .find(({ name }) => name === it.engine),
    )
    .catch(() => undefined);
  const home = env['HOME'] ?? homedir();
  const hasLogin =
    told?.auth === 'ok' ||
    it.variables.some((name) => (env[name] ?? '') !== '') ||
    it.files.some((file) => existsSync(join(home, file)));
  if (hasLogin) return { level: 'ok', text: `${found.text}, logged in` };
  return told?.auth === 'missing' || told === undefined
    ? { level: 'warn', text: `${found.text}, no login found`, fix: it.login }
    : { level: 'ok', text: `${found.text}, login not known` };
}
