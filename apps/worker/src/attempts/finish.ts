import type { Assignment, FailureClass, TaskResult, Usage } from '@baton/contract';
import type { ReaderEnd } from '@baton/engines';
import type { ExitFile } from '../supervisor/records.ts';
import type { CollectedWork } from '../workspaces/collect.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { keepWork } from './keep-work.ts';
import type { AttemptFiles, StopFile, TurnFiles } from './files.ts';
import type { PendingReport, PendingUpload, Report } from './report.ts';
import { resultOf, shortChanges } from './result-of.ts';

/** What is known when an agent has ended. */
export interface Ended {
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly turn: TurnFiles;
  readonly workspace: Workspace;
  readonly exit: ExitFile;
  readonly reader: ReaderEnd;
  /** Of all turns. */
  readonly usage: Usage | null;
  /** The report of the turn before, which broke a contract. */
  readonly refused: PendingReport | undefined;
  /** The work of an attempt that is gone on with later could not be saved for another machine. */
  readonly onUnsaved: (error: unknown) => void;
}

/**
 * Turns what an agent left behind into the report of its attempt: commits its work, and reads its own
 * result, its conclusion, and `.baton/`. Nothing is told yet. @throws {AppError} git_failed
 */
export async function finishTurn(workspaces: Workspaces, ended: Ended): Promise<PendingReport> {
  const { assignment: it, files, turn, exit, reader, workspace } = ended;
  const common = {
    exit_code: exit.code,
    ...(ended.usage === null ? {} : { usage: ended.usage }),
    ...(reader.conversationId === null ? {} : { conversation: reader.conversationId }),
  };
  const without = (report: Report): PendingReport => ({ turn: turn.turn, report, uploads: [] });
  const stopped = stopOf(exit, files.stop());
  if (stopped !== undefined) {
    if ('release' in stopped) return without({ kind: 'release', reason: stopped.release });
    const kept = files.stop()?.kind === 'yield' ? await keptUploads(workspaces, ended) : [];
    return { ...without({ kind: 'fail', body: { ...stopped, ...common } }), uploads: kept };
  }
  const declared = turn.declared();
  const work = await collect(workspaces, ended);
  const uploads = work === null ? [] : uploadsOf(it, work);
  const tell = (report: Report): PendingReport => ({ turn: turn.turn, report, uploads });
  if (declared?.kind === 'fail')
    return tell({ kind: 'fail', body: { ...common, ...declared.body } });

  const refused = refusedResult(ended.refused);
  const { result, failure } = resultOf({
    assignment: it,
    workspace,
    reader,
    declared,
    work,
    refused,
  });
  const fault = failure ?? faultOf(it, result, work);
  if (fault !== undefined) return tell({ kind: 'fail', body: { ...fault, result, ...common } });
  return tell({ kind: 'complete', body: { result, ...common } });
}

/** Work that cannot be saved stays where it is; the end of the attempt is told all the same. */
async function keptUploads(workspaces: Workspaces, ended: Ended): Promise<PendingUpload[]> {
  const { assignment, files, workspace, onUnsaved } = ended;
  try {
    const upload = await keepWork(workspaces, assignment, files, workspace);
    return upload === undefined ? [] : [upload];
  } catch (error) {
    onUnsaved(error);
    return [];
  }
}

/** What was wrong with work whose agent says it is well. */
function faultOf(
  it: Assignment,
  result: TaskResult,
  work: CollectedWork | null,
): { readonly reason: string; readonly failure_class: FailureClass } | undefined {
  if (work === null || result.status === 'failed' || result.status === 'blocked') return undefined;
  const fault = (reason: string) => ({ reason, failure_class: 'agent_error' as const });
  if (work.violations.length > 0) {
    const allowed = (it.task.spec.workspace?.allowed_paths ?? []).join(', ');
    return fault(`The task may change only ${allowed}; it changed ${some(work.violations)}.`);
  }
  if (work.unresolved.length > 0) {
    return fault(`Conflict markers were left in ${some(work.unresolved)}.`);
  }
  return undefined;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ').slice(0, 4_000);
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

function refusedResult(report: PendingReport | undefined): TaskResult | undefined {
  return report?.report.kind === 'complete' ? report.report.body.result : undefined;
}

async function collect(workspaces: Workspaces, ended: Ended): Promise<CollectedWork | null> {
  const { assignment: it, files, workspace } = ended;
  const allowedPaths = it.task.spec.workspace?.allowed_paths;
  return workspaces.collect(workspace, {
    outDir: files.dir,
    message: `${it.task.key}: ${it.task.title}`,
    ...(allowedPaths === undefined ? {} : { allowedPaths }),
  });
}

function uploadsOf(it: Assignment, work: CollectedWork): PendingUpload[] {
  const { base, commit, patchFile, bundleFile } = work;
  const uploads: PendingUpload[] = [];
  if (patchFile !== null) {
    const { files_omitted: omitted, ...changes } = shortChanges(work.changes);
    const meta = {
      base,
      commit,
      ...changes,
      ...(omitted === undefined ? {} : { files_omitted: omitted }),
    };
    const about = {
      name: `${it.task.key}.patch`,
      kind: 'patch',
      media_type: 'text/x-diff',
      meta,
    } as const;
    uploads.push({ path: patchFile, about });
  }
  if (bundleFile !== null) {
    const about = {
      name: `${it.task.key}.bundle`,
      kind: 'bundle',
      media_type: 'application/x-git-bundle',
      meta: { base, commit },
    } as const;
    uploads.push({ path: bundleFile, about });
  }
  return uploads;
}

type Stopped =
  | { readonly release: string }
  | { readonly reason: string; readonly failure_class: FailureClass };

/** An end that was not the agent's own; undefined when it was. */
function stopOf(exit: ExitFile, stop: StopFile | undefined): Stopped | undefined {
  if (stop?.kind === 'yield') return { reason: stop.reason, failure_class: 'cancelled' };
  if (exit.reason === 'exited') return undefined;
  if (stop?.kind === 'release') return { release: stop.reason };
  if (stop !== undefined) return { reason: stop.reason, failure_class: 'cancelled' };
  const reason = exit.detail === '' ? exit.reason : `${exit.reason}: ${exit.detail}`;
  return { reason, failure_class: classOf(exit) };
}

function classOf(exit: ExitFile): FailureClass {
  switch (exit.reason) {
    case 'run_timeout':
      return 'timeout';
    case 'spawn_failed':
    case 'supervisor_failed':
      return 'environment';
    case 'stopped':
      // Its supervisor ends an agent when it hears of a cancellation while no daemon is there. Anybody
      // else who ends a supervisor, such as a machine that shuts down, ends no task.
      return exit.detail === 'cancelled' ? 'cancelled' : 'lost';
    default:
      return 'lost';
  }
}
