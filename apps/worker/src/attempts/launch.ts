import { AppError, DEFAULTS, toAppError, type Assignment } from '@baton/contract';
import { findEngine, type Engine } from '@baton/engines';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { WorkerConfig } from '../config.ts';
import type { LaunchInput } from '../supervisor/records.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { agentEnv } from './agent-env.ts';
import type { AttemptFiles, PlanFile } from './files.ts';
import { promptOf } from './prompt-of.ts';

/** Everything a supervisor needs, and what is told to the control plane about it. */
export interface Prepared {
  readonly launch: LaunchInput;
  readonly plan: PlanFile;
  readonly promptSha256: string;
}

/** The engine of an assignment. @throws {AppError} unknown_engine */
export function engineOf(it: Assignment): Engine {
  const engine = findEngine(it.task.engine);
  if (engine === undefined) {
    throw new AppError('unknown_engine', `This worker has no engine ${it.task.engine}.`);
  }
  return engine;
}

/** Plans the start of an agent and writes the files it needs. @throws {AppError} */
export function prepareLaunch(
  config: WorkerConfig,
  it: Assignment,
  engine: Engine,
  workspace: Workspace,
  files: AttemptFiles,
): Prepared {
  const { spec } = it.task;
  const prompt = promptOf(it, engine, workspace);
  writeFileSync(files.promptPath, prompt, { mode: 0o600 });
  const env = agentEnv(config, it, files.dir, workspace.path);
  const inPlace = workspace.mode === 'in_place';
  const planned = engine.plan({
    spec: spec.spec,
    prompt,
    workspacePath: workspace.cwd,
    attemptDir: files.dir,
    newConversationId: randomUUID(),
    permissions: spec.permissions ?? (inPlace ? 'ask' : 'auto'),
    extraArgs: spec.needs.extra_args ?? [],
    maxTurns: spec.needs.max_turns ?? DEFAULTS.maxTurns,
    env,
    ...(spec.needs.model === undefined ? {} : { model: spec.needs.model }),
    ...(it.conversation === null ? {} : { resume: it.conversation }),
  });
  if (!planned.ok) throw toAppError(planned.refusal);
  for (const file of planned.plan.files) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, file.content, { mode: file.mode });
  }
  const stdinPath = `${files.dir}/stdin.txt`;
  if (planned.plan.stdin !== null) writeFileSync(stdinPath, planned.plan.stdin, { mode: 0o600 });
  const plan: PlanFile = {
    engine: engine.name,
    conversation: planned.plan.conversationId,
    resumed: it.conversation !== null,
    model: spec.needs.model ?? null,
  };
  files.savePlan(plan);
  return {
    plan,
    promptSha256: createHash('sha256').update(prompt).digest('hex'),
    launch: {
      argv: planned.plan.argv,
      cwd: workspace.cwd,
      env: { ...env, ...planned.plan.env },
      stdin: planned.plan.stdin === null ? { mode: 'none' } : { mode: 'file', path: stdinPath },
      identity: {
        attempt_id: it.attempt.id,
        epoch: it.attempt.epoch,
        token: it.token,
        server_url: config.url,
        heartbeat_ms: it.heartbeat_seconds * 1_000,
      },
      ...(spec.timeouts.run === undefined ? {} : { run_timeout_ms: spec.timeouts.run * 1_000 }),
    },
  };
}
