import type { Assignment, FailureClass, TaskResult, Usage } from '@baton/contract';
import { conclude, type ReaderEnd } from '@baton/engines';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { ExitFile } from '../supervisor/records.ts';
import { missingFiles, type CollectedWork } from '../workspaces/collect.ts';
import { readDotBaton } from '../workspaces/dot-baton.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import type { AttemptFiles } from './files.ts';
import type { Report } from './report.ts';
import type { Uploader } from './uploads.ts';

/** Tries of an upload before its file is left on this machine only. */
const uploadTriesMax = 5;

export interface FinishPorts {
  readonly workspaces: Workspaces;
  readonly uploader: Uploader;
  readonly log: Log;
}

/** What is known when an agent has ended. */
export interface Ended {
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly workspace: Workspace;
  readonly exit: ExitFile;
  readonly reader: ReaderEnd;
}

/**
 * Turns what an agent left behind into the report of its attempt: commits its work, keeps patch and
 * bundle as artifacts, reads its own result, its conclusion, and `.baton/`, in this order of trust.
 */
export async function finishAttempt(ports: FinishPorts, ended: Ended): Promise<Report> {
  const { assignment: it, files, exit, reader } = ended;
  const declared = files.declared();
  const common = {
    exit_code: exit.code,
    ...(reader.usage === null ? {} : { usage: plainUsage(reader.usage) }),
    ...(reader.conversationId === null ? {} : { conversation: reader.conversationId }),
  };
  const stopped = stopClass(exit);
  if (stopped !== undefined) {
    return { kind: 'fail', body: { reason: stopReason(exit), failure_class: stopped, ...common } };
  }
  const work = await collect(ports, ended);
  if (declared?.kind === 'fail') return { kind: 'fail', body: { ...common, ...declared.body } };

  const { result, failure } = resultOf(ended, declared, work);
  if (failure !== undefined) return { kind: 'fail', body: { ...failure, result, ...common } };
  if (work !== null && work.violations.length > 0) {
    const reason = `The task may change only ${(it.task.spec.workspace?.allowed_paths ?? []).join(', ')}; it changed ${work.violations.slice(0, 10).join(', ')}.`;
    return { kind: 'fail', body: { reason, failure_class: 'agent_error', result, ...common } };
  }
  return { kind: 'complete', body: { result, ...common } };
}

function resultOf(
  ended: Ended,
  declared: Report | undefined,
  work: CollectedWork | null,
): {
  readonly result: TaskResult;
  readonly failure?: { readonly reason: string; readonly failure_class: FailureClass; readonly retry_at?: string };
} {
  const { workspace, reader } = ended;
  const { outcome } = reader;
  const ok = outcome.status === 'ok';
  const handedIn = readDotBaton(workspace.path);
  const own = conclude({ text: reader.finalText, ok, reason: outcome.summary });
  const stated = declared?.kind === 'complete' ? declared.body.result : plainResult(handedIn.result);
  const base: TaskResult = stated ?? {
    status: own.status,
    summary: own.summary,
    ...(own.tests === undefined ? {} : { tests: own.tests }),
    ...(own.follow_up === undefined ? {} : { follow_up: own.follow_up }),
    ...(own.confidence === undefined ? {} : { confidence: own.confidence }),
    ...(own.synthesized ? { synthesized: true } : {}),
  };
  const missing = missingFiles(workspace.path, own.files);
  const result: TaskResult = {
    ...base,
    ...(missing.length === 0 || base.status !== 'success'
      ? {}
      : { status: 'partial', missing_files: [...missing] }),
    contracts: {
      ...(own.outputs as NonNullable<TaskResult['contracts']>),
      ...(handedIn.outputs as NonNullable<TaskResult['contracts']>),
      ...base.contracts,
    },
    ...(work === null ? {} : { changes: { ...work.changes }, commit: commitOf(workspace, work) }),
  };
  if (ok || declared?.kind === 'complete') return { result };
  return {
    result,
    failure: {
      reason: outcome.summary,
      failure_class: outcome.failure_class ?? 'agent_error',
      ...(outcome.resets_at === undefined ? {} : { retry_at: outcome.resets_at }),
    },
  };
}

function commitOf(workspace: Workspace, work: CollectedWork): NonNullable<TaskResult['commit']> {
  return {
    repo: workspace.repo?.address ?? workspace.path,
    base: work.base,
    commit: work.commit,
    branch: work.branch,
  };
}

async function collect(ports: FinishPorts, ended: Ended): Promise<CollectedWork | null> {
  const { assignment: it, files, workspace } = ended;
  const allowedPaths = it.task.spec.workspace?.allowed_paths;
  const work = await ports.workspaces.collect(workspace, {
    outDir: files.dir,
    message: `${it.task.key}: ${it.task.title}`,
    ...(allowedPaths === undefined ? {} : { allowedPaths }),
  });
  if (work === null) return null;
  const { patchFile, bundleFile } = work;
  if (patchFile !== null) {
    await upload(ports, it, patchFile, {
      name: `${it.task.key}.patch`,
      kind: 'patch',
      media_type: 'text/x-diff',
      meta: { base: work.base, commit: work.commit, ...work.changes },
    });
  }
  if (bundleFile !== null) {
    await upload(ports, it, bundleFile, {
      name: `${it.task.key}.bundle`,
      kind: 'bundle',
      media_type: 'application/x-git-bundle',
      meta: { base: work.base, commit: work.commit },
    });
  }
  return work;
}

async function upload(
  ports: FinishPorts,
  it: Assignment,
  path: string,
  about: Parameters<Uploader['add']>[2],
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await ports.uploader.add(it, path, about);
      return;
    } catch (error) {
      if (tries >= uploadTriesMax) {
        ports.log.error({ error, attempt: it.attempt.id, name: about.name }, 'an artifact was not uploaded');
        return;
      }
      await sleep(1_000 * tries);
    }
  }
}

/** The class of an end that was not the agent's own; undefined when it was. */
function stopClass(exit: ExitFile): FailureClass | undefined {
  switch (exit.reason) {
    case 'stopped':
      return 'cancelled';
    case 'run_timeout':
      return 'timeout';
    case 'orphaned':
    case 'fenced':
    case 'lost':
    case 'never_started':
      return 'lost';
    case 'spawn_failed':
    case 'supervisor_failed':
      return 'workspace';
    case 'exited':
      return undefined;
  }
}

function stopReason(exit: ExitFile): string {
  return exit.detail === '' ? exit.reason : `${exit.reason}: ${exit.detail}`;
}

function plainResult(value: unknown): TaskResult | undefined {
  if (typeof value !== 'object' || value === null || !('status' in value)) return undefined;
  const { status } = value;
  const summary = 'summary' in value ? value.summary : '';
  const known = ['success', 'partial', 'failed', 'blocked'].find((it) => it === status);
  if (known === undefined || typeof summary !== 'string') return undefined;
  return { status: known as TaskResult['status'], summary: summary.slice(0, 20_000) };
}

function plainUsage(usage: Usage): Usage {
  return usage;
}
