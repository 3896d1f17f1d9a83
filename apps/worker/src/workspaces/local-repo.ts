import { statSync } from 'node:fs';
import { AppError } from '@baton/contract';
import { readGit, runGit } from '../git/git.ts';
import { repoNameOf, type RepoSource } from '../git/repo-source.ts';

/** A repository on this machine, as found from any path inside it. */
export interface LocalRepo {
  /** Root of the work tree; the repository itself when it is bare. */
  readonly root: string;
  /** Where the given path lies under `root`, e.g. `packages/api`; empty at the root. */
  readonly subdir: string;
  readonly isBare: boolean;
}

/**
 * Looks at a path. @throws {AppError} repo_not_found when there is nothing or no repository there;
 * workspace_failed when it belongs to another user and git was not told to trust it
 */
export async function getLocalRepo(path: string): Promise<LocalRepo> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new AppError('repo_not_found', `There is no directory ${path} on this machine.`, {
      detail: { repo: path },
    });
  }
  const looked = await runGit(
    ['rev-parse', '--is-bare-repository', '--show-prefix', '--absolute-git-dir'],
    // A bare repository that was named outright is as explicit as it gets.
    { cwd: path, config: 'owner', set: ['safe.bareRepository=all'], accept: [0, 128] },
  );
  if (looked.exitCode !== 0) throw explainLocal(path, looked.stderr);
  const [bare, prefix = '', gitDir = ''] = looked.stdout.split('\n');
  if (bare === 'true') return { root: gitDir, subdir: '', isBare: true };
  const root = await readGit(['rev-parse', '--show-toplevel'], { cwd: path, config: 'owner' });
  return { root, subdir: prefix.replace(/\/$/, ''), isBare: false };
}

/** The source with a local path replaced by the root of its repository. */
export async function locateSource(
  source: RepoSource,
): Promise<{ readonly source: RepoSource; readonly local: LocalRepo | undefined }> {
  if (source.kind === 'remote') return { source, local: undefined };
  const local = await getLocalRepo(source.address);
  const { root } = local;
  return { source: { ...source, name: repoNameOf(root), address: root, identity: root }, local };
}

/** What git said of a repository it could not read, as a failure with a way out. */
export function explainAccess(source: RepoSource, error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'git_failed') return error;
  const said = error.message;
  const detail = { repo: source.identity };
  const fail = (message: string): AppError =>
    new AppError('repo_not_found', message, { cause: error, detail });
  if (/dubious ownership/.test(said)) return explainLocal(source.address, said);
  if (
    /Permission denied|Authentication failed|could not read (Username|Password)|terminal prompts disabled/i.test(
      said,
    )
  ) {
    return fail(`No access to ${source.identity}: this machine's git has no credentials for it.`);
  }
  if (/not found|does not exist|does not appear to be a git repository|No such file/i.test(said)) {
    return fail(`There is no repository at ${source.identity}, or this machine may not see it.`);
  }
  if (
    /Could not resolve host|unable to access|Connection (refused|timed out|reset)|Could not read from remote/i.test(
      said,
    )
  ) {
    return new AppError('workspace_failed', `${source.identity} cannot be reached now: ${said}`, {
      cause: error,
      detail,
    });
  }
  return error;
}

function explainLocal(path: string, said: string): AppError {
  if (/dubious ownership/.test(said)) {
    return new AppError(
      'workspace_failed',
      `${path} belongs to another user. If you trust it: git config --global --add safe.directory ${path}`,
      { detail: { repo: path } },
    );
  }
  return new AppError('repo_not_found', `${path} is no git repository.`, {
    detail: { repo: path },
  });
}
