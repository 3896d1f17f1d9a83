import { describe, expect, test } from 'vitest';
import { ENGINE_LIMITS } from './engine.ts';
import type { LaunchPlan, LaunchRequest } from './engine.ts';
import { findEngine } from './registry.ts';

const request: LaunchRequest = {
  spec: 'make test',
  prompt: 'Fix it.\n',
  workspacePath: '/ws',
  attemptDir: '/attempt',
  newConversationId: '6f1e2c1a-0000-4000-8000-000000000001',
  permissions: 'auto',
  extraArgs: [],
  env: { HOME: '/home/agent', PATH: '/bin' },
};

function planOf(engine: string, wishes: Partial<LaunchRequest> = {}): LaunchPlan {
  const planned = findEngine(engine)?.plan({ ...request, ...wishes });
  if (planned?.ok !== true) throw new Error(planned?.refusal.message ?? `no engine ${engine}`);
  return planned.plan;
}

function refusalOf(engine: string, ...extraArgs: string[]): string | undefined {
  const planned = findEngine(engine)?.plan({ ...request, extraArgs });
  return planned?.ok === false ? planned.refusal.message : undefined;
}

describe('the plan of claude', () => {
  test('a new conversation', () => {
    expect(planOf('claude')).toEqual({
      argv: [
        ...['claude', '-p', '--output-format', 'stream-json', '--verbose'],
        ...['--session-id', request.newConversationId],
        ...['--permission-mode', 'acceptEdits'],
        ...['--allowedTools', 'Bash,Read,Edit,Write,NotebookEdit,WebFetch,WebSearch'],
        ...['--disallowedTools', 'Bash(git push *)'],
        ...['--max-turns', '30'],
      ],
      env: { DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_MAX_RETRIES: '4' },
      stdin: 'Fix it.\n',
      files: [],
      conversationId: request.newConversationId,
      warnings: [],
    });
  });

  test('a resumed conversation, with a model and arguments of its own', () => {
    const plan = planOf('claude', {
      resume: 'abc',
      model: 'opus',
      maxTurns: 5,
      extraArgs: ['--effort', 'low'],
      program: '/opt/claude',
    });
    expect(plan.argv.slice(0, 7)).toEqual([
      ...['/opt/claude', '-p', '--output-format', 'stream-json', '--verbose', '--resume', 'abc'],
    ]);
    expect(plan.argv.slice(-6)).toEqual(['--max-turns', '5', '--model', 'opus', '--effort', 'low']);
    expect(plan.conversationId).toBe('abc');
  });

  test('asking and denying allow no tool but reporting', () => {
    expect(planOf('claude', { permissions: 'ask' }).argv).toEqual(
      expect.arrayContaining(['--permission-mode', 'manual', 'Bash(baton task *)']),
    );
    expect(planOf('claude', { permissions: 'deny' }).argv).toEqual(
      expect.arrayContaining(['--permission-mode', 'dontAsk', 'Bash(baton task *)']),
    );
  });

  test("a number of retries of the operator's own is left alone", () => {
    const env = { ...request.env, CLAUDE_CODE_MAX_RETRIES: '9' };
    expect(planOf('claude', { env }).env).toEqual({ DISABLE_AUTOUPDATER: '1' });
  });

  test.each([
    ['--dangerously-skip-permissions'],
    ['--allow-dangerously-skip-permissions'],
    ['--permission-mode=bypassPermissions'],
    ['--allowed-tools', 'Bash'],
    ['--settings', '{}'],
    ['--effort', 'low', '-p'],
    ['--output-format=text'],
  ])('the extra argument %s is refused', (...args) => {
    expect(refusalOf('claude', ...args)).toMatch(/^engine claude does not take the extra argument/);
  });
});

describe('the plan of codex', () => {
  test('a new conversation', () => {
    expect(planOf('codex')).toEqual({
      argv: [
        'codex',
        'exec',
        '--json',
        '--sandbox',
        'workspace-write',
        '--skip-git-repo-check',
        ...['-c', 'allow_login_shell=false'],
        '-',
      ],
      env: {},
      stdin: 'Fix it.\n',
      files: [],
      conversationId: null,
      warnings: [],
    });
  });

  test('a resumed conversation, with a model and arguments of its own', () => {
    const extraArgs = ['-c', 'model_reasoning_effort=low'];
    const plan = planOf('codex', { resume: 'abc', model: 'o', extraArgs });
    expect(plan.argv.slice(8)).toEqual(['--model', 'o', ...extraArgs, 'resume', 'abc', '-']);
    expect(plan.conversationId).toBe('abc');
  });

  test.each(['ask', 'deny'] as const)('%s means reading only', (permissions) => {
    expect(planOf('codex', { permissions }).argv).toContain('read-only');
  });

  test('a home in the temporary directory is warned about, for it makes no helpers there', () => {
    const env = { HOME: '/tmp/x' };
    expect(planOf('codex', { env }).warnings).toEqual([expect.stringContaining('/tmp/x/.codex')]);
    expect(planOf('codex', { env: { ...env, CODEX_HOME: '/home/c' } }).warnings).toEqual([]);
  });

  test.each([
    ['--dangerously-bypass-approvals-and-sandbox'],
    ['--sandbox', 'danger-full-access'],
    ['-s', 'workspace-write'],
    ['-c', 'sandbox_mode="danger-full-access"'],
    ['-c', 'sandbox_workspace_write.network_access=true'],
    ['--config=approval_policy="never"'],
    ['--add-dir', '/'],
    ['resume', 'x'],
  ])('the extra argument %s is refused', (...args) => {
    expect(refusalOf('codex', ...args)).toMatch(/^engine codex does not take the extra argument/);
  });
});

describe('the plan of shell', () => {
  test('the spec is run by sh', () => {
    expect(planOf('shell').argv).toEqual(['sh', '-c', 'make test']);
    expect(planOf('shell').stdin).toBeNull();
  });

  test('a spec longer than one argument may be goes through a file', () => {
    const spec = 'é'.repeat(ENGINE_LIMITS.argBytesMax / 2 + 1);
    expect(planOf('shell', { spec })).toMatchObject({
      argv: ['sh', '/attempt/command.sh'],
      files: [{ path: '/attempt/command.sh', content: spec, mode: 0o600 }],
    });
  });
});

test.each(['claude', 'codex'])('the prompt of %s is nowhere in its arguments', (engine) => {
  const plan = planOf(engine, { prompt: 'SECRET-PROMPT' });
  expect(JSON.stringify([plan.argv, plan.env])).not.toContain('SECRET-PROMPT');
});
