import type { Assignment, RepoCapability } from '@baton/contract';
import { join } from 'node:path';
import type { WorkerConfig } from '../config.ts';
import { parseRepoSource, repoNameOf, type RepoSource } from '../git/repo-source.ts';
import { locateSource } from '../workspaces/local-repo.ts';
import type { UpstreamCommit, WorkspaceRequest } from '../workspaces/workspace.ts';
import { agentEnv } from './agent-env.ts';
import type { AttemptFiles } from './files.ts';
import type { Uploader } from './uploads.ts';

/** What making a workspace request takes. */
export interface RequestPorts {
  readonly config: WorkerConfig;
  readonly uploader: Uploader;
  readonly repos: () => readonly RepoCapability[];
}

/**
 * What an assignment asks of its workspace; fetches the bundles of upstream commits that another worker
 * made. @throws {AppError} repo_not_found, control_plane_unreachable
 */
export async function workspaceRequest(
  ports: RequestPorts,
  it: Assignment,
  files: AttemptFiles,
): Promise<WorkspaceRequest> {
  const wanted = it.task.spec.workspace;
  const repo = wanted?.repo === undefined ? undefined : parseRepoSource(wanted.repo, ports.repos());
  const base = it.bases[`${wanted?.repo ?? ''}@${wanted?.ref ?? 'HEAD'}`];
  return {
    attemptId: it.attempt.id,
    runId: it.run.id,
    taskKey: it.task.key,
    attemptNumber: branchNumber(it),
    upstreams: repo === undefined ? [] : await upstreamCommits(ports, it, files, repo),
    inputs: it.inputs,
    setupEnv: agentEnv(ports.config, it, ''),
    ...(repo === undefined ? {} : { repo }),
    ...(base === undefined ? {} : { refCommit: base }),
    ...(wanted?.mode === undefined ? {} : { mode: wanted.mode }),
    ...(wanted?.ref === undefined ? {} : { ref: wanted.ref }),
    ...(wanted?.copy === undefined ? {} : { copy: wanted.copy }),
    ...(wanted?.setup === undefined ? {} : { setup: wanted.setup }),
    ...continuedFrom(it),
  };
}

/** What is gone on with: where somebody was waited for, or after a failure if the task says so. */
function continuedFrom(it: Assignment): Partial<WorkspaceRequest> {
  if (it.continue !== null) return { continueFrom: it.continue.attempt, wake: it.continue.wake };
  if (it.last_failure === null || it.task.spec.workspace?.on_retry !== 'continue') return {};
  return { continueFrom: it.last_failure.attempt };
}

/** Commits of the same repository that the work is to go on from, each once, in plan order. */
async function upstreamCommits(
  ports: RequestPorts,
  it: Assignment,
  files: AttemptFiles,
  repo: RepoSource,
): Promise<UpstreamCommit[]> {
  if (it.task.spec.workspace?.base === 'ref') return [];
  const found: UpstreamCommit[] = [];
  const own = (await locateSource(repo)).source;
  for (const { key, commit, edge, bundle } of it.upstream) {
    if (commit === null || edge === 'related') continue;
    // Where another worker has the repository says nothing here: then its bundle came along.
    if (bundle === null && identityOf(commit.repo) !== own.identity) continue;
    if (bundle !== null && !isSameName(commit.repo, own)) continue;
    if (found.some((one) => one.commit === commit.commit)) continue;
    if (bundle === null) {
      found.push({ key, commit: commit.commit });
      continue;
    }
    const bundleFile = join(files.dir, `upstream-${found.length}.bundle`);
    await ports.uploader.fetch(it, bundle, bundleFile);
    found.push({ key, commit: commit.commit, bundleFile });
  }
  return found;
}

/** The same repository, as far as its name tells: machines keep it in different places. */
function isSameName(address: string, own: RepoSource): boolean {
  const identity = identityOf(address);
  if (identity === undefined) return false;
  const name = repoNameOf(identity);
  return name === own.name || name === repoNameOf(own.identity);
}

function identityOf(address: string): string | undefined {
  try {
    return parseRepoSource(address).identity;
  } catch {
    return undefined;
  }
}

/** Part of the branch's name: different for every attempt of a task, in each of its generations. */
function branchNumber(it: Assignment): number {
  const { generation, number } = it.attempt;
  return generation === 1 ? number : generation * 1_000 + number;
}
