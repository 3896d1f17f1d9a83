import type { PermissionMode } from '@baton/contract';
import type { LaunchRequest, Planned } from '../engine.ts';
import { findForbiddenArg } from '../guard-args.ts';
import type { ForbiddenArg } from '../guard-args.ts';
import { codexHome, isTemporary } from './home.ts';

/** Headless Codex cannot ask: without a yes beforehand it may only read. */
const sandboxOf: Readonly<Record<PermissionMode, string>> = {
  auto: 'workspace-write',
  ask: 'read-only',
  deny: 'read-only',
};

const forbiddenArgs: readonly ForbiddenArg[] = [
  { pattern: /^--dangerously-bypass-/, why: 'it turns the sandbox off' },
  { pattern: /danger-full-access/, why: 'it turns the sandbox off' },
  {
    pattern: /^(--sandbox|-s|--approve-for-me|--full-auto|-a|--ask-for-approval|--add-dir)(\s|$)/,
    why: 'set `permissions` of the task or project instead',
  },
  {
    pattern: /^(-c|--config) .*\b(sandbox|approval|default_permissions|permissions)/,
    why: "set `permissions` of the task or project instead, or Codex's own config.toml",
  },
  {
    pattern: /^(--json|-C|--cd|--worktree|resume|fork|-|-o|--output-last-message)(\s|$)/,
    why: 'Baton sets it',
  },
];

/**
 * By default each command runs in a login shell, whose profile sets the PATH anew on many systems: `baton`
 * and whatever the worker was given would be gone.
 */
const ownShell = ['-c', 'allow_login_shell=false'] as const;

/** `codex exec --json -`: the prompt comes by stdin, which is closed at once, for Codex waits for its end. */
export function planCodex(request: LaunchRequest): Planned {
  const forbidden = findForbiddenArg('codex', request.extraArgs, forbiddenArgs);
  if (forbidden !== undefined) return { ok: false, refusal: forbidden };
  const home = codexHome(request.env);
  const warnings: string[] = [];
  if (home !== undefined && isTemporary(home, request.env)) {
    warnings.push(
      `codex does not make its helper programs with its home at ${home}: set CODEX_HOME to a directory outside of ${request.env['TMPDIR'] ?? '/tmp'}`,
    );
  }
  if (request.permissions === 'ask') {
    warnings.push('codex cannot ask when it runs headless: it may only read (permissions: ask)');
  }
  return {
    ok: true,
    plan: {
      argv: [
        request.program ?? 'codex',
        'exec',
        '--json',
        '--sandbox',
        sandboxOf[request.permissions],
        '--skip-git-repo-check',
        ...ownShell,
        ...(request.model === undefined ? [] : ['--model', request.model]),
        ...request.extraArgs,
        ...(request.resume === undefined ? [] : ['resume', request.resume]),
        '-',
      ],
      env: {},
      stdin: request.prompt,
      files: [],
      conversationId: request.resume ?? null,
      warnings,
    },
  };
}
