import {
  AppError,
  DEFAULTS,
  toAppError,
  type Assignment,
  type PermissionMode,
  type Usage,
} from '@baton/contract';
import { findEngine, type Engine } from '@baton/engines';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WorkerConfig } from '../config.ts';
import { clearRequests } from '../supervisor/file-requests.ts';
import type { LaunchInput } from '../supervisor/records.ts';
import { DOT_BATON } from '../workspaces/dot-baton.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { agentEnv } from './agent-env.ts';
import type { TurnFiles } from './files.ts';

/** What one run of an agent is told. */
export interface TurnPrompt {
  readonly text: string;
  /** Conversation to go on with; null begins one. */
  readonly resume: string | null;
}

/** The engine of an assignment. @throws {AppError} unknown_engine */
export function engineOf(it: Assignment): Engine {
  const engine = findEngine(it.task.engine);
  if (engine === undefined) {
    throw new AppError('unknown_engine', `This worker has no engine ${it.task.engine}.`);
  }
  return engine;
}

/** What the agent may do unasked. A directory of the user's own is not changed without a word. */
export function permissionsOf(it: Assignment, workspace: Workspace): PermissionMode {
  return it.task.spec.permissions ?? (workspace.mode === 'in_place' ? 'ask' : 'auto');
}

/** How the agent speaks with its supervisor. A sandbox without sockets may still write into its workspace. */
export function doorOf(it: Assignment, workspace: Workspace): 'socket' | 'files' | 'none' {
  if (engineOf(it).traits.reachesSocket) return 'socket';
  return permissionsOf(it, workspace) === 'auto' ? 'files' : 'none';
}

/**
 * Plans the start of an agent, writes the files it needs, and notes the plan. Answers everything a
 * supervisor needs. @throws {AppError}
 */
export function prepareLaunch(
  config: WorkerConfig,
  it: Assignment,
  workspace: Workspace,
  turn: TurnFiles,
  prompt: TurnPrompt,
  priorUsage: Usage | null = null,
): LaunchInput {
  const { spec } = it.task;
  const engine = engineOf(it);
  writeFileSync(turn.promptPath, prompt.text, { mode: 0o600 });
  const env = agentEnv(config, it, workspace.path);
  const planned = engine.plan({
    spec: spec.spec,
    prompt: prompt.text,
    workspacePath: workspace.cwd,
    attemptDir: turn.dir,
    newConversationId: randomUUID(),
    permissions: permissionsOf(it, workspace),
    extraArgs: spec.needs.extra_args ?? [],
    maxTurns: spec.needs.max_turns ?? DEFAULTS.maxTurns,
    env,
    ...(spec.needs.model === undefined ? {} : { model: spec.needs.model }),
    ...(prompt.resume === null ? {} : { resume: prompt.resume }),
  });
  if (!planned.ok) throw toAppError(planned.refusal);
  const { plan } = planned;
  for (const file of plan.files) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.content, { mode: file.mode });
  }
  const requestsDir = join(workspace.path, DOT_BATON, 'requests');
  const hasFiles = doorOf(it, workspace) === 'files';
  if (hasFiles) clearRequests(requestsDir);
  const stdinPath = join(turn.dir, 'stdin.txt');
  if (plan.stdin !== null) writeFileSync(stdinPath, plan.stdin, { mode: 0o600 });
  turn.savePlan({
    engine: engine.name,
    conversation: plan.conversationId,
    resumed: prompt.resume !== null,
    model: spec.needs.model ?? null,
    prompt_sha256: createHash('sha256').update(prompt.text).digest('hex'),
    prior_usage: priorUsage,
    warnings: [...plan.warnings],
  });
  return {
    argv: plan.argv,
    cwd: workspace.cwd,
    env: { ...env, ...plan.env },
    stdin: plan.stdin === null ? { mode: 'none' } : { mode: 'file', path: stdinPath },
    grace_kill_ms: engine.stop.graceMs,
    identity: {
      attempt_id: it.attempt.id,
      epoch: it.attempt.epoch,
      token: it.token,
      server_url: config.url,
      heartbeat_ms: it.heartbeat_seconds * 1_000,
    },
    ...(hasFiles ? { requests_dir: requestsDir } : {}),
    ...(spec.timeouts.run === undefined ? {} : { run_timeout_ms: spec.timeouts.run * 1_000 }),
  };
}
