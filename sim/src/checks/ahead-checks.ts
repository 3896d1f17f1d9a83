import type { MemoryWorld } from '@baton/kernel/testing';
import type { FaultList } from '../faults-found.ts';
import type { Ahead, Commit } from '../store/sim-database.ts';

/**
 * A batch that was decided from memory is written only where all that it took for granted still holds, and
 * never after it was fenced off. Counts by itself what the database counts.
 */
export class AheadChecks {
  readonly #versions = new Map<string, number>();
  readonly #changes = new Map<string, number>();
  #fences = 0;
  /** How the last commit that told events has marked the end of the feed. */
  #mark = '';
  readonly #faults: FaultList;

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  before(commit: Commit, world: MemoryWorld): void {
    if (commit.ahead === undefined) return;
    for (const what of this.#broken(commit, commit.ahead, world))
      this.#faults.report('premises-hold', `${commit.replica} wrote ahead of ${what}`);
    const { afterFences } = commit.ahead;
    if (afterFences < commit.fences)
      this.#faults.report(
        'fenced-off',
        `${commit.replica} wrote after fence ${commit.fences} what was given after ${afterFences}`,
      );
  }

  after(commit: Commit): void {
    for (const run of commit.changedRuns) raise(this.#versions, run);
    for (const { table, id, original, row } of commit.writes)
      if (table === 'workers' && original !== null && row !== null) raise(this.#changes, id);
    if (commit.events.length === 0) return;
    this.#mark = commit.mark;
    this.#fences = commit.fences;
  }

  /** By no batch. */
  changed(run: string): void {
    raise(this.#versions, run);
  }

  #broken(commit: Commit, { premises }: Ahead, world: MemoryWorld): string[] {
    const { feed, runs, workers } = premises;
    const broken: string[] = [];
    for (const [id, version] of runs) {
      const now = this.#versions.get(id) ?? 0;
      if (world.row('runs', id) === null) broken.push(`run ${id}, which is gone`);
      else if (now !== version) broken.push(`run ${id}, ${version} is ${now} now`);
    }
    for (const [id, count] of workers) {
      const now = this.#changes.get(id) ?? 0;
      if (world.row('workers', id) === null) broken.push(`worker ${id}, which is gone`);
      else if (now !== count) broken.push(`worker ${id}, ${count} is ${now} now`);
    }
    if (feed.nextPos !== commit.firstPos)
      broken.push(`the feed, ${feed.nextPos} is ${commit.firstPos} now`);
    if (feed.incarnation !== commit.incarnation)
      broken.push(`the history, ${feed.incarnation} is ${commit.incarnation} now`);
    // Behind a fence that mark is another one.
    if (this.#fences === commit.fences && feed.mark !== this.#mark)
      broken.push('another commit than the last one that told events');
    return broken;
  }
}

function raise(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}
