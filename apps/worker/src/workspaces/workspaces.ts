import type { RepoSource } from '../git/repo-source.ts';
import { collectResult, type CollectedWork, type CollectRequest } from './collect.ts';
import { releaseInPlace } from './in-place-lock.ts';
import { removeWorkspace, type RemovalVerdict } from './keep.ts';
import { locateSource } from './local-repo.ts';
import { prepareWorkspace } from './prepare.ts';
import { openRepoCache, type RepoCache } from './repo-cache.ts';
import type { SavedFile } from './saved-file.ts';
import { saveWork } from './saved-work.ts';
import { findWorkspace, type Workspace, type WorkspaceRequest } from './workspace.ts';

/** All directories that this worker gives to attempts. One instance per data directory. */
export interface Workspaces {
  /** See `prepareWorkspace`. */
  prepare(request: WorkspaceRequest): Promise<Workspace>;
  /** What an attempt was given, as long as it exists. */
  find(attemptId: string): Workspace | undefined;
  /** See `collectResult`. Call it once the agent's processes are gone. */
  collect(workspace: Workspace, request: CollectRequest): Promise<CollectedWork | null>;
  /** See `saveWork`. */
  save(workspace: Workspace, outDir: string): Promise<SavedFile | undefined>;
  /** See `removeWorkspace`; gives an in_place directory back, and leaves it as it is. */
  remove(workspace: Workspace, savedCommits: readonly string[]): Promise<RemovalVerdict>;
  /** The cache of a repository; cloned if need be. */
  openCache(source: RepoSource): Promise<RepoCache>;
}

/** Opens the workspaces under `dataDir`. */
export function openWorkspaces(options: { readonly dataDir: string }): Workspaces {
  const { dataDir } = options;
  return {
    prepare: (request) => prepareWorkspace(dataDir, request),
    find: (attemptId) => findWorkspace(dataDir, attemptId),
    async collect(workspace, request) {
      if (workspace.repo !== null) (await openRepoCache(dataDir, workspace.repo)).restoreConfig();
      return collectResult(workspace, request);
    },
    async save(workspace, outDir) {
      if (workspace.repo !== null) (await openRepoCache(dataDir, workspace.repo)).restoreConfig();
      return saveWork(workspace, outDir);
    },
    async remove(workspace, savedCommits) {
      if (workspace.mode === 'in_place') releaseInPlace(workspace.path, workspace.attemptId);
      return removeWorkspace(dataDir, workspace, savedCommits);
    },
    async openCache(source) {
      return openRepoCache(dataDir, (await locateSource(source)).source);
    },
  };
}
