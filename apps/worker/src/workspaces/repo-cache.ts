import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { assertRefName, listGit, readGit, runGit, withoutCredentials } from '../git/git.ts';
import type { RepoSource } from '../git/repo-source.ts';
import { withFileLock } from './file-lock.ts';
import { explainAccess } from './local-repo.ts';

/** A bare copy of one repository on this machine, shared by all work on it. */
export interface RepoCache {
  readonly source: RepoSource;
  readonly gitDir: string;
  /** Brings branches and tags up to date; calls that overlap share one transfer. */
  fetch(): Promise<void>;
  /**
   * The commit a branch, tag or commit name means now; without a name, the repository's HEAD. Fetches,
   * unless it is the full name of a commit that is here.
   * @throws {AppError} ref_not_found, repo_empty, repo_not_found
   */
  resolveRef(ref?: string): Promise<string>;
  hasCommit(commit: string): Promise<boolean>;
  /**
   * Takes in the commits of a bundle file.
   * @throws {AppError} workspace_failed when it is damaged or builds on commits that are nowhere
   */
  importBundle(file: string): Promise<readonly string[]>;
  /** Undoes whatever was written into the shared configuration, so that it runs and redirects nothing. */
  restoreConfig(): void;
  /** Runs `work` alone among all who change this cache. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result>;
}

const FETCH = [
  'fetch',
  '--quiet',
  '--force',
  '--prune',
  '--tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
] as const;
const HEADS = '+refs/heads/*:refs/remotes/origin/*';
const ORIGIN_HEAD = 'refs/baton/origin-head';
const FULL_COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * Opens the cache of a repository under `dataDir/repos`, cloning it the first time.
 * @throws {AppError} repo_not_found, workspace_failed
 */
export async function openRepoCache(dataDir: string, source: RepoSource): Promise<RepoCache> {
  const digest = createHash('sha256').update(source.identity).digest('hex').slice(0, 12);
  const slug = source.name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60);
  const gitDir = join(dataDir, 'repos', `${slug}-${digest}.git`);
  const lockPath = `${gitDir}.lock`;
  if (!existsSync(gitDir)) {
    mkdirSync(join(dataDir, 'repos'), { recursive: true, mode: 0o700 });
    await withFileLock(lockPath, async () => {
      if (!existsSync(gitDir)) await makeCache(source, gitDir);
    });
  }
  const cache = new GitRepoCache(source, gitDir, lockPath);
  cache.restoreConfig();
  return cache;
}

class GitRepoCache implements RepoCache {
  readonly source: RepoSource;
  readonly gitDir: string;
  readonly #lockPath: string;
  #queued: Promise<void> | undefined;

  constructor(source: RepoSource, gitDir: string, lockPath: string) {
    this.source = source;
    this.gitDir = gitDir;
    this.#lockPath = lockPath;
  }

  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return withFileLock(this.#lockPath, work);
  }

  async fetch(): Promise<void> {
    // One that waits for its turn will see everything its sharers want to see.
    this.#queued ??= this.exclusively(async () => {
      this.#queued = undefined;
      this.restoreConfig();
      await fetchInto(this.source, this.gitDir);
    });
    return this.#queued;
  }

  async resolveRef(ref?: string): Promise<string> {
    if (ref !== undefined) assertRefName(ref);
    if (ref !== undefined && FULL_COMMIT.test(ref) && (await this.hasCommit(ref))) return ref;
    await this.fetch();
    for (const name of namesOf(ref)) {
      const found = await this.#findCommit(name);
      if (found !== undefined) return found;
    }
    if (ref !== undefined && FULL_COMMIT.test(ref)) return this.#fetchCommit(ref);
    const branches = await this.#listBranches();
    const { identity } = this.source;
    if (branches.length === 0) {
      throw new AppError(
        'repo_empty',
        `${identity} has no commits yet. Make a first one: git commit --allow-empty -m "first"`,
        { detail: { repo: identity } },
      );
    }
    const wanted = ref === undefined ? 'HEAD' : `"${ref}"`;
    throw new AppError(
      'ref_not_found',
      `${identity} has no branch, tag or commit ${wanted}. It has: ${branches.slice(0, 10).join(', ')}`,
      { detail: { repo: identity, ref: ref ?? 'HEAD', known: branches.slice(0, 10) } },
    );
  }

  async hasCommit(commit: string): Promise<boolean> {
    return (await this.#findCommit(commit)) !== undefined;
  }

  async importBundle(file: string): Promise<readonly string[]> {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const id = createHash('sha256').update(`${file}:${size}`).digest('hex').slice(0, 16);
    const heads = await this.#checkBundle(file);
    await this.exclusively(async () => {
      this.restoreConfig();
      await runGit(
        [
          'fetch',
          '--quiet',
          '--force',
          '--no-tags',
          '--no-write-fetch-head',
          '--',
          file,
          `+refs/*:refs/baton/imported/${id}/*`,
        ],
        { gitDir: this.gitDir, set: ['fetch.fsckObjects=true'] },
      );
    });
    return heads;
  }

  restoreConfig(): void {
    const kept = keptConfig(this.gitDir);
    const live = join(this.gitDir, 'config');
    const now = existsSync(live) ? readFileSync(live, 'utf8') : '';
    if (existsSync(kept) && now !== readFileSync(kept, 'utf8')) {
      copyFileSync(kept, `${live}.${process.pid}`);
      renameSync(`${live}.${process.pid}`, live);
    }
    rmSync(join(this.gitDir, 'objects', 'info', 'alternates'), { force: true });
  }

  /** Its heads, when all it builds on is here; after one fetch in case it is not. */
  async #checkBundle(file: string): Promise<readonly string[]> {
    const verify = () =>
      runGit(['bundle', 'verify', '--quiet', file], { gitDir: this.gitDir, accept: [0, 1, 128] });
    let verdict = await verify();
    if (verdict.exitCode !== 0) {
      await this.fetch();
      verdict = await verify();
    }
    if (verdict.exitCode !== 0) {
      throw new AppError(
        'workspace_failed',
        `The commits of an upstream task cannot be read: ${verdict.stderr.trim().slice(0, 500)}`,
        { detail: { repo: this.source.identity } },
      );
    }
    const listed = await readGit(['bundle', 'list-heads', file], { gitDir: this.gitDir });
    return listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  }

  async #findCommit(name: string): Promise<string | undefined> {
    const answer = await runGit(
      ['rev-parse', '--quiet', '--verify', '--end-of-options', `${name}^{commit}`],
      { gitDir: this.gitDir, accept: [0, 1, 128] },
    );
    const found = answer.stdout.trim().split('\n').at(-1) ?? '';
    return answer.exitCode === 0 && FULL_COMMIT.test(found) ? found : undefined;
  }

  /** A commit that no branch reaches; many servers give it out when asked by its full name. */
  async #fetchCommit(commit: string): Promise<string> {
    try {
      await this.exclusively(() =>
        runGit(
          [
            'fetch',
            '--quiet',
            '--no-tags',
            '--no-write-fetch-head',
            '--',
            this.source.address,
            `+${commit}:refs/baton/asked/${commit}`,
          ],
          { gitDir: this.gitDir, config: 'owner' },
        ),
      );
      return commit;
    } catch (error) {
      throw new AppError('ref_not_found', `${this.source.identity} has no commit ${commit}.`, {
        cause: error,
        detail: { repo: this.source.identity, ref: commit },
      });
    }
  }

  async #listBranches(): Promise<readonly string[]> {
    const format = '--format=%(refname:lstrip=3)%00';
    const names = await listGit(['for-each-ref', format, 'refs/remotes/origin'], {
      gitDir: this.gitDir,
    });
    return names.map((name) => name.trim()).filter((name) => name !== '');
  }
}

/**
 * Not a mirror: a mirror's fetch would delete the branches of running tasks. Branches of the origin are
 * under refs/remotes/origin; refs/heads holds Baton's own only.
 */
async function makeCache(source: RepoSource, gitDir: string): Promise<void> {
  const temporary = `${gitDir}.new-${randomBytes(4).toString('hex')}`;
  try {
    const set = ['clone.rejectShallow=false', 'core.logAllRefUpdates=false'];
    await runGit(['clone', '--quiet', '--bare', '--template=', '--', source.address, temporary], {
      config: 'owner',
      cwd: '/',
      set,
    });
    const heads = await readGit(['for-each-ref', '--format=delete %(refname)', 'refs/heads'], {
      gitDir: temporary,
    });
    if (heads !== '') {
      await runGit(['update-ref', '--stdin'], { gitDir: temporary, input: `${heads}\n` });
    }
    for (const [name, value] of [
      ['remote.origin.url', withoutCredentials(source.address)],
      ['remote.origin.fetch', HEADS],
      // What an agent pushes by itself would pass by review and delivery.
      ['remote.origin.pushurl', '/dev/null/baton-delivers-when-the-run-is-done'],
      ['core.logAllRefUpdates', 'true'],
    ] as const) {
      await runGit(['config', '--replace-all', name, value], { gitDir: temporary });
    }
    await fetchInto(source, temporary);
    copyFileSync(join(temporary, 'config'), keptConfig(gitDir));
    renameSync(temporary, gitDir);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw explainAccess(source, error);
  }
}

async function fetchInto(source: RepoSource, gitDir: string): Promise<void> {
  const from = (...refspecs: readonly string[]) =>
    runGit([...FETCH, '--', source.address, ...refspecs], { gitDir, config: 'owner' });
  try {
    await from(HEADS, `+HEAD:${ORIGIN_HEAD}`);
  } catch (error) {
    // An empty repository, or one whose HEAD names a branch without commits.
    if (!(error instanceof AppError) || !/find remote ref HEAD/.test(error.message)) {
      throw explainAccess(source, error);
    }
    await runGit(['update-ref', '-d', ORIGIN_HEAD], { gitDir });
    await from(HEADS);
  }
}

/** Beside the cache, not in it: agents may write into the cache. */
function keptConfig(gitDir: string): string {
  return `${gitDir}.config`;
}

function namesOf(ref: string | undefined): readonly string[] {
  if (ref === undefined || ref === 'HEAD') return [ORIGIN_HEAD];
  const branch = ref.replace(/^refs\/heads\//, '').replace(/^origin\//, '');
  const names = [`refs/remotes/origin/${branch}`, `refs/tags/${ref}`];
  if (ref.startsWith('refs/tags/')) names.push(ref);
  if (/^[0-9a-f]{7,64}$/.test(ref)) names.push(ref);
  return names;
}
