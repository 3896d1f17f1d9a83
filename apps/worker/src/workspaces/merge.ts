import { AppError } from '@baton/contract';
import { listGit, readGit, runGit, type GitOptions } from '../git/git.ts';

/** One of several pieces of work that are brought together. */
export interface MergeSide {
  /** Key of the task that made it. */
  readonly key: string;
  readonly commit: string;
}

/** Why a merge stopped. The first side is what was merged so far, the second what did not fit. */
export interface MergeConflict {
  readonly files: readonly string[];
  readonly sides: readonly [MergeSide, MergeSide];
  /** Not tried any more, in order. */
  readonly remaining: readonly MergeSide[];
}

/** What came of a merge: the commit reached, who is in it, and where it stopped. */
export interface MergeOutcome {
  readonly commit: string;
  readonly merged: readonly string[];
  readonly conflict: MergeConflict | null;
}

/** A name and address for commits. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Who commits when no agent is named. */
export const BATON_IDENTITY: Identity = { name: 'Baton', email: 'baton@localhost' };

/** A work tree to merge in: the directory, and the repository that belongs to it. */
export interface WorkTree {
  readonly path: string;
  readonly gitDir: string;
}

/**
 * Merges commits into what is checked out, one after the other in the given order; what is in it already
 * is passed over. Stops at the first conflict: `leave` keeps its markers in the files for somebody to
 * resolve, `abort` returns to the last good state.
 * @throws {AppError} git_failed when git refuses for another reason
 */
export async function mergeCommits(
  tree: WorkTree,
  sides: readonly MergeSide[],
  options: {
    readonly onConflict: 'leave' | 'abort';
    readonly into: string;
    /** Whose work is checked out at the start. */
    readonly startKey?: string;
    readonly identity?: Identity;
  },
): Promise<MergeOutcome> {
  const git: GitOptions = {
    cwd: tree.path,
    gitDir: tree.gitDir,
    workTree: tree.path,
    config: 'owner',
  };
  const set = identitySettings(options.identity ?? BATON_IDENTITY);
  const merged: string[] = [];
  for (const [index, side] of sides.entries()) {
    const before = await readGit(['rev-parse', 'HEAD'], git);
    const message = `Merge ${side.key} into ${options.into}`;
    const answer = await runGit(
      ['merge', '--no-ff', '--no-edit', '--quiet', '-m', message, side.commit],
      {
        ...git,
        set,
        accept: [0, 1, 2, 128],
      },
    );
    if (answer.exitCode === 0) {
      merged.push(side.key);
      continue;
    }
    const files = await listGit(['diff', '--name-only', '--diff-filter=U', '-z'], git);
    if (files.length === 0) {
      const said = (answer.stderr.trim() || answer.stdout.trim()).slice(0, 500);
      throw new AppError('git_failed', `Merging ${side.key} into ${options.into}: ${said}`);
    }
    if (options.onConflict === 'abort') await runGit(['merge', '--abort'], git);
    const keys = options.startKey === undefined ? merged : [options.startKey, ...merged];
    const sofar = { key: keys.join('+') || options.into, commit: before };
    const conflict = { files, sides: [sofar, side] as const, remaining: sides.slice(index + 1) };
    return { commit: before, merged, conflict };
  }
  return { commit: await readGit(['rev-parse', 'HEAD'], git), merged, conflict: null };
}

/** The commits that are in none of the others, in the given order and each once. */
export async function withoutAncestors(
  gitDir: string,
  sides: readonly MergeSide[],
): Promise<readonly MergeSide[]> {
  const first = sides
    .filter((side, i) => sides.findIndex((it) => it.commit === side.commit) === i)
    .map(({ key, commit }) => ({ key, commit }));
  if (first.length < 2) return first;
  const commits = first.map((side) => side.commit);
  const heads = await readGit(['merge-base', '--independent', ...commits], { gitDir });
  return first.filter((side) => heads.split('\n').includes(side.commit));
}

/** `-c` settings that make an identity the author and committer. */
export function identitySettings(identity: Identity): readonly string[] {
  return [`user.name=${identity.name}`, `user.email=${identity.email}`, 'user.useConfigOnly=true'];
}
