import { AppError, type Delivery } from '@baton/contract';
import { assertRefName, readGit, runGit, withoutCredentials } from '../git/git.ts';
import type { RepoSource } from '../git/repo-source.ts';
import { shellQuote } from '../machine/shell-quote.ts';
import { explainAccess, locateSource, type LocalRepo } from '../workspaces/local-repo.ts';

/** What is to be brought into the repository that was given. */
export interface DeliveryRequest {
  readonly mode: Delivery;
  readonly repo: RepoSource;
  /** Cache that holds the commit. */
  readonly cacheDir: string;
  readonly commit: string;
  /** `baton/<run>/merged`, or the single task's branch. */
  readonly branch: string;
  /** Branch to fast-forward for mode `merge`; absent: the repository's default branch. */
  readonly ref?: string;
}

/** What was done. `words` is one sentence for people. */
export interface Delivered {
  readonly branch: string | null;
  readonly merged: string | null;
  readonly words: string;
}

/** Runs in the repository that receives: none of its hooks, no clean-up of its own accord. */
const RECEIVE_LOCAL =
  'git -c core.hooksPath=/dev/null -c receive.autogc=false -c gc.auto=0 -c maintenance.auto=false receive-pack';

/**
 * Brings a commit into the repository it was made for: the only place where Baton writes to it. Only the
 * named branch changes (and, for `merge`, `ref` and the files of a clean work tree that has it checked
 * out). Harmless to repeat.
 * @throws {AppError} delivery_refused with the command to type when that is not safe; repo_not_found,
 * workspace_failed when it cannot be reached; not_supported for pull_request
 */
export async function deliver(request: DeliveryRequest): Promise<Delivered> {
  if (request.mode === 'none')
    return { branch: null, merged: null, words: 'Nothing is delivered.' };
  if (request.mode === 'pull_request') {
    throw new AppError('not_supported', 'Pull requests are not opened yet. Use deliver: branch.');
  }
  assertRefName(request.branch);
  assertRefName(request.commit);
  if (request.ref !== undefined) assertRefName(request.ref);
  const { source, local } = await locateSource(request.repo);
  const target: Target = { ...request, repo: source, local };
  try {
    await pushBranch(target);
    if (request.mode === 'branch') {
      const words = `Branch ${request.branch} is in ${source.identity}.`;
      return { branch: request.branch, merged: null, words };
    }
    const ref = await fastForward(target);
    return { branch: request.branch, merged: ref, words: `${ref} of ${source.identity} has it.` };
  } catch (error) {
    throw explainAccess(source, error);
  }
}

interface Target extends DeliveryRequest {
  readonly local: LocalRepo | undefined;
}

/** The delivered branch is Baton's: it may be replaced, but only from what Baton itself put there. */
async function pushBranch(target: Target): Promise<void> {
  const { branch, cacheDir, commit } = target;
  const record = `refs/baton/delivered/${branch}`;
  const current = await findRemoteCommit(target, branch);
  if (current !== commit) {
    const tree = await findCheckout(target.local, branch);
    if (tree !== undefined) return updateCheckout(target, tree, branch);
    const ours = await findCommit(cacheDir, record);
    const isOurs = current !== undefined && current === ours;
    const lease = isOurs ? [`--force-with-lease=refs/heads/${branch}:${current}`] : [];
    await push(target, branch, lease);
  }
  await runGit(['update-ref', record, commit], { gitDir: cacheDir });
}

async function fastForward(target: Target): Promise<string> {
  const ref = (target.ref ?? (await findDefaultBranch(target))).replace(/^refs\/heads\//, '');
  const current = await findRemoteCommit(target, ref);
  if (current === target.commit) return ref;
  const tree = await findCheckout(target.local, ref);
  if (tree !== undefined) await updateCheckout(target, tree, ref);
  else await push(target, ref, []);
  return ref;
}

async function push(target: Target, branch: string, more: readonly string[]): Promise<void> {
  const local = target.local === undefined ? [] : [`--receive-pack=${RECEIVE_LOCAL}`];
  const refspec = `${target.commit}:refs/heads/${branch}`;
  const args = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--recurse-submodules=no',
  ];
  const answer = await runGit([...args, ...local, ...more, '--', target.repo.address, refspec], {
    gitDir: target.cacheDir,
    config: 'owner',
    accept: [0, 1],
  });
  if (answer.exitCode === 0) return;
  const line = answer.stdout.split('\n').find((it) => it.startsWith('!')) ?? answer.stderr;
  const said = withoutCredentials(line.split('\t').at(-1) ?? line).trim();
  if (!answer.stdout.includes('!')) {
    const words = withoutCredentials(answer.stderr.trim());
    throw new AppError('git_failed', `git push: ${words}`);
  }
  const command = mergeCommand(target, branch);
  throw new AppError(
    'delivery_refused',
    `${branch} of ${target.repo.identity} has commits of its own or may not be changed (${said}). To merge by hand: ${command}`,
    { detail: { branch, command, said } },
  );
}

/** Moves a branch that is checked out, together with its files; only forward, only when nothing is changed there. */
async function updateCheckout(target: Target, tree: string, branch: string): Promise<void> {
  const command = `git -C ${shellQuote(tree)} merge ${target.branch === branch ? target.commit : target.branch}`;
  const refuse = (why: string): AppError =>
    new AppError(
      'delivery_refused',
      `${branch} is checked out in ${tree} ${why} To merge by hand: ${command}`,
      {
        detail: { branch, path: tree, command },
      },
    );
  const git = { cwd: tree, config: 'owner' as const };
  const status = await readGit(
    ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=dirty'],
    git,
  );
  if (status !== '') throw refuse('with changes.');
  const gitDir = await readGit(['rev-parse', '--absolute-git-dir'], git);
  await bringObjects(target, gitDir);
  const answer = await runGit(['merge', '--ff-only', '--quiet', target.commit], {
    ...git,
    accept: [0, 1, 128],
  });
  if (answer.exitCode !== 0) {
    throw refuse(`and cannot simply move on (${answer.stderr.trim().split('\n')[0] ?? ''}).`);
  }
}

/** The commit's objects, without any reference or FETCH_HEAD. */
async function bringObjects(target: Target, gitDir: string): Promise<void> {
  await runGit(
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--',
      target.cacheDir,
      await refOf(target),
    ],
    { gitDir, config: 'owner', set: ['remote.origin.fetch=', 'fetch.prune=false'] },
  );
}

/** A reference in the cache that names the commit: only such can be asked for. */
async function refOf(target: Target): Promise<string> {
  const ref = `refs/baton/delivering/${target.branch}`;
  await runGit(['update-ref', ref, target.commit], { gitDir: target.cacheDir });
  return ref;
}

/** The work tree of a local repository that has a branch checked out. */
async function findCheckout(
  local: LocalRepo | undefined,
  branch: string,
): Promise<string | undefined> {
  if (local === undefined) return undefined;
  const listed = await readGit(['worktree', 'list', '--porcelain', '-z'], {
    cwd: local.root,
    config: 'owner',
    set: ['safe.bareRepository=all'],
  });
  for (const block of listed.split('\0\0')) {
    const lines = block.split('\0');
    const path = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    if (lines.includes('bare') || !lines.includes(`branch refs/heads/${branch}`)) continue;
    return path;
  }
  return undefined;
}

async function findRemoteCommit(target: Target, branch: string): Promise<string | undefined> {
  const listed = await readGit(['ls-remote', '--', target.repo.address, `refs/heads/${branch}`], {
    cwd: '/',
    config: 'owner',
  });
  return listed === '' ? undefined : listed.split('\t')[0];
}

async function findDefaultBranch(target: Target): Promise<string> {
  const listed = await readGit(['ls-remote', '--symref', '--', target.repo.address, 'HEAD'], {
    cwd: '/',
    config: 'owner',
  });
  const found = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(listed)?.[1];
  if (found !== undefined) return found;
  throw new AppError(
    'delivery_refused',
    `${target.repo.identity} has no default branch. Say which branch to move (workspace.ref), or use deliver: branch.`,
  );
}

async function findCommit(gitDir: string, ref: string): Promise<string | undefined> {
  const answer = await runGit(['rev-parse', '--quiet', '--verify', ref], {
    gitDir,
    accept: [0, 1],
  });
  return answer.exitCode === 0 ? answer.stdout.trim() : undefined;
}

function mergeCommand(target: Target, branch: string): string {
  const from = target.branch === branch ? target.commit : target.branch;
  if (target.local === undefined) {
    return `git fetch origin && git checkout ${branch} && git merge origin/${from}`;
  }
  const at = `git -C ${shellQuote(target.local.root)}`;
  return `${at} checkout ${branch} && ${at} merge ${from}`;
}
