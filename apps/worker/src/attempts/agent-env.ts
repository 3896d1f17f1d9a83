import type { Assignment } from '@baton/contract';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { WorkerConfig } from '../config.ts';
import { shellQuote } from '../machine/shell-quote.ts';

/** Variables that an agent of a joined worker gets; everything else of the machine stays away from it. */
const CLEAN_NAMES =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|XDG_\w+|https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|ANTHROPIC_\w+|CLAUDE_\w+|DISABLE_AUTOUPDATER|OPENAI_\w+|CODEX_\w+|GEMINI_\w+|GOOGLE_\w+|OPENCODE_\w+|COPILOT_\w+|GOOSE_\w+|QWEN_\w+|XAI_\w+)$/;

/**
 * The environment of an agent, but for the way to its supervisor, which that one adds; the worker's own
 * `BATON_*` never reach it.
 */
export function agentEnv(
  config: WorkerConfig,
  it: Assignment,
  workspacePath: string,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(config.processEnv)) {
    if (value === undefined || name.startsWith('BATON_')) continue;
    if (config.env === 'clean' && !CLEAN_NAMES.test(name)) continue;
    env[name] = value;
  }
  Object.assign(env, it.task.spec.env);
  env['PATH'] = [batonDir(config), env['PATH'] ?? '/usr/bin:/bin'].join(delimiter);
  return {
    ...env,
    BATON_URL: config.url,
    BATON_PROJECT: it.project,
    BATON_RUN_ID: it.run.id,
    BATON_TASK_ID: it.task.id,
    BATON_ATTEMPT_ID: it.attempt.id,
    BATON_EPOCH: String(it.attempt.epoch),
    BATON_WORKER: config.name,
    BATON_WORKSPACE: workspacePath,
    BATON_ROLE: it.task.spec.role ?? 'implementer',
    BATON_TOKEN: it.token,
    ...(it.continue === null || workspacePath === ''
      ? {}
      : { BATON_WAKE: join(workspacePath, '.baton', 'wake.json') }),
  };
}

/** The folder that holds `baton`; made by `installBaton`. */
function batonDir(config: WorkerConfig): string {
  return join(config.dataDir, 'bin');
}

/** Puts a `baton` on the agents' PATH that runs this installation, whatever else has that name. */
export function installBaton(config: WorkerConfig): void {
  if (config.batonBin === undefined) return;
  const dir = batonDir(config);
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const script = join(dir, 'baton');
  const fresh = `${script}.${process.pid}`;
  writeFileSync(
    fresh,
    `#!/bin/sh\nexec ${shellQuote(process.execPath)} ${shellQuote(config.batonBin)} "$@"\n`,
  );
  chmodSync(fresh, 0o755);
  // At once: agents of an earlier daemon may be running the old one.
  renameSync(fresh, script);
}
