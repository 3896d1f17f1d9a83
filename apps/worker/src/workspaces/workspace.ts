import type { WorkspaceMode } from '@baton/contract';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findJson, writeFileAtomic } from '../spool/durable-file.ts';
import type { RepoSource } from '../git/repo-source.ts';
import type { SavedFile } from './saved-file.ts';
import type { MergeConflict, MergeSide } from './merge.ts';

/** An upstream task's commit; with the file that holds it when another worker made it. */
export interface UpstreamCommit extends MergeSide {
  readonly bundleFile?: string | null;
}

/** What an attempt asks of its workspace. */
export interface WorkspaceRequest {
  readonly attemptId: string;
  readonly runId: string;
  readonly taskKey: string;
  readonly attemptNumber: number;
  /** Default: `worktree` with a repository, else `scratch`. */
  readonly mode?: WorkspaceMode;
  readonly repo?: RepoSource;
  readonly ref?: string;
  /** What `ref` meant when the run began; absent: what it means now. */
  readonly refCommit?: string;
  /** Commits to start from, in plan order; empty for `base: ref`. */
  readonly upstreams?: readonly UpstreamCommit[];
  /** Contents of `.baton/inputs/<name>.json`. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** Untracked files to copy from a local repository's work tree, relative to it. */
  readonly copy?: readonly string[];
  readonly setup?: string;
  /** Complete environment of the setup script. */
  readonly setupEnv?: Readonly<Record<string, string>>;
  readonly setupTimeoutMs?: number;
  /** Attempt whose directory is taken over as it is, when it still exists here. */
  readonly continueFrom?: string;
  /** Its work, for where that directory is not. */
  readonly saved?: SavedFile & { readonly attemptId: string };
  /** What a continued agent is told, for `.baton/wake.json`. */
  readonly wake?: unknown;
}

/** Work found in a directory that had to be made anew, and where it was saved. */
export interface Salvaged {
  readonly attemptId: string;
  /** What was not committed, as a patch; null when all was. */
  readonly patchFile: string | null;
  readonly files: readonly string[];
  /** Branch in the cache that keeps what was committed; null when nothing was. */
  readonly branch: string | null;
}

/** A directory for one attempt. Kept as `workspace.json` beside it, so that a restart finds it. */
export interface Workspace {
  readonly attemptId: string;
  readonly runId: string;
  readonly taskKey: string;
  readonly mode: WorkspaceMode;
  /** Root of the work tree. */
  readonly path: string;
  /** Where the agent starts: `path`, or the directory in it that the task named. */
  readonly cwd: string;
  readonly repo: RepoSource | null;
  /** The cache that holds the repository's objects; null for scratch and directories without git. */
  readonly cacheDir: string | null;
  /** The git directory of the work tree itself. */
  readonly gitDir: string | null;
  readonly branch: string | null;
  /** Commit the work starts from. */
  readonly base: string | null;
  /** Commit of the repository that the run started from; bundles build on it. */
  readonly refCommit: string | null;
  /** Files that were copied in and are not part of the result. */
  readonly copied: readonly string[];
  readonly notCopied: readonly string[];
  /** Upstream commits that did not fit together; the markers are in the files. */
  readonly conflict: MergeConflict | null;
  readonly salvaged: Salvaged | null;
  /** The attempt whose directory was taken over as it was. */
  readonly continuedFrom?: string;
  /** The attempt whose work was brought here from another machine. */
  readonly restoredFrom?: string;
  /** Why the work of the attempt before could not be brought here. */
  readonly notRestored?: string;
}

/** Directory of an attempt's workspace under the worker's data directory. */
export function workspaceRoot(dataDir: string, attemptId: string): string {
  return join(dataDir, 'workspaces', attemptId);
}

/** Branch of an attempt: never shared with a fenced attempt that may still be running. */
export function branchOf(
  request: Pick<WorkspaceRequest, 'runId' | 'taskKey' | 'attemptNumber'>,
): string {
  return `baton/${request.runId}/t/${request.taskKey}/${request.attemptNumber}`;
}

/** Notes a workspace beside its directory. */
export function saveWorkspace(dataDir: string, workspace: Workspace): void {
  const root = workspaceRoot(dataDir, workspace.attemptId);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  writeFileAtomic(join(root, 'workspace.json'), JSON.stringify(workspace, null, 1), {
    sync: false,
  });
}

/** The workspace of an attempt, if it was prepared to the end and its directory is there. */
export function findWorkspace(dataDir: string, attemptId: string): Workspace | undefined {
  const found = findJson(join(workspaceRoot(dataDir, attemptId), 'workspace.json'));
  if (typeof found !== 'object' || found === null || !('path' in found)) return undefined;
  const workspace = found as Workspace;
  return existsSync(workspace.path) ? workspace : undefined;
}

/** Of a workspace in which git has no part. */
export const WITHOUT_GIT = {
  repo: null,
  cacheDir: null,
  gitDir: null,
  branch: null,
  base: null,
  refCommit: null,
  copied: [],
  notCopied: [],
  conflict: null,
} as const;

/** Whose workspace it is. */
export function namesOf(
  request: WorkspaceRequest,
): Pick<Workspace, 'attemptId' | 'runId' | 'taskKey'> {
  return { attemptId: request.attemptId, runId: request.runId, taskKey: request.taskKey };
}
