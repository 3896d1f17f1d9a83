import type { PermissionMode } from '@baton/contract';
import { DEFAULTS } from '@baton/contract';
import type { LaunchRequest, Planned } from '../engine.ts';
import { findForbiddenArg } from '../guard-args.ts';
import type { ForbiddenArg } from '../guard-args.ts';

/**
 * How permissions become arguments. Headless, a tool that would ask is refused and the run goes on.
 *
 * `auto` allows every shell command. A list of commands would be no smaller a right (an agent that
 * may run `npm` may run anything) and would refuse whatever a project happens to be built with. The
 * file tools stay inside the workspace, and pushing stays with Baton, which delivers.
 */
const permissionArgs: Readonly<Record<PermissionMode, readonly string[]>> = {
  auto: [
    '--permission-mode',
    'acceptEdits',
    '--allowedTools',
    'Bash,Read,Edit,Write,NotebookEdit,WebFetch,WebSearch',
    '--disallowedTools',
    'Bash(git push *)',
  ],
  ask: ['--permission-mode', 'manual', '--allowedTools', 'Bash(baton task *)'],
  deny: ['--permission-mode', 'dontAsk', '--allowedTools', 'Bash(baton task *)'],
};

const forbiddenArgs: readonly ForbiddenArg[] = [
  {
    pattern: /^--(allow-)?dangerously-skip-permissions\b/,
    why: 'it turns every permission check off',
  },
  {
    pattern: /^--(permission-mode|permission-prompt|allowed-?tools|disallowed-?tools|settings)/i,
    why: 'set `permissions` of the task or project instead',
  },
  {
    pattern:
      /^(--print|-p|--output-format|--input-format|--session-id|--resume|-r|--continue|-c)(\s|$)/,
    why: 'Baton sets it',
  },
  {
    pattern: /^(--bg|--background|--cloud|--desktop|--tmux|--worktree|-w|--teleport)(\s|$)/,
    why: 'the agent would run outside its attempt',
  },
];

/**
 * Retries of the program's own on a provider error. Ten, its default, wait for minutes in silence;
 * after four (about ten seconds) the failure is Baton's to schedule.
 */
const ownRetriesMax = 4;

/** `claude -p` with the prompt on stdin, so that it is never in the list of processes and has no length limit. */
export function planClaude(request: LaunchRequest): Planned {
  const forbidden = findForbiddenArg('claude', request.extraArgs, forbiddenArgs);
  if (forbidden !== undefined) return { ok: false, refusal: forbidden };
  const conversation =
    request.resume === undefined
      ? ['--session-id', request.newConversationId]
      : ['--resume', request.resume];
  return {
    ok: true,
    plan: {
      argv: [
        request.program ?? 'claude',
        '-p',
        '--output-format',
        'stream-json',
        '--verbose',
        ...conversation,
        ...permissionArgs[request.permissions],
        '--max-turns',
        String(request.maxTurns ?? DEFAULTS.maxTurns),
        ...(request.model === undefined ? [] : ['--model', request.model]),
        ...request.extraArgs,
      ],
      env: {
        DISABLE_AUTOUPDATER: '1',
        ...(request.env['CLAUDE_CODE_MAX_RETRIES'] === undefined
          ? { CLAUDE_CODE_MAX_RETRIES: String(ownRetriesMax) }
          : {}),
      },
      stdin: request.prompt,
      files: [],
      conversationId: request.resume ?? request.newConversationId,
      warnings: [],
    },
  };
}
