import type { LimitSlotRow, ReadyRow, SlotRow, TableName, Tables } from '@baton/kernel';
import type { BatchNames } from '@baton/store';
import type { BatchReads, Candidates, Opened, Premises } from '../store/batch-store.ts';
import type { ReplicaMemory } from './replica-memory.ts';

/** Thrown where a batch needs what is not remembered: it has to ask the store. */
export class NotRemembered extends Error {
  override readonly name = 'NotRemembered';
}

/**
 * Answers a batch's reads from memory, and notes what it thereby takes for granted. Locks are taken, and
 * the premises checked, where the batch is written.
 */
export class RememberedReads implements BatchReads {
  readonly #memory: ReplicaMemory;
  readonly #age: number;
  readonly #runs = new Map<string, number>();
  readonly #workers = new Map<string, number>();
  readonly #limitsOf = new Set<string>();

  constructor(memory: ReplicaMemory) {
    this.#memory = memory;
    this.#age = memory.age;
  }

  /** What was taken for granted. @throws {NotRemembered} when something was forgotten meanwhile */
  premises(): Premises {
    const { feed, age } = this.#memory;
    if (feed === undefined || age !== this.#age) throw new NotRemembered();
    return { feed, runs: this.#runs, workers: this.#workers, limitsOf: [...this.#limitsOf] };
  }

  async open(names: BatchNames): Promise<Opened> {
    const unknown = [
      names.tasks,
      names.attempts,
      names.checkpoints,
      names.timers,
      names.workerNames,
      names.joinTokens,
      names.limitsOf ?? [],
    ];
    if (unknown.some((ids) => ids.length > 0)) throw new NotRemembered();
    for (const id of names.workers) this.#worker(id);
    // A key that was used before cannot be written again: then the batch asks the store.
    return { nowMs: undefined, runs: [], repeated: new Map(), workers: this.#workers };
  }

  async lockRuns(runs: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(runs.map((id) => [id, this.#run(id)]));
  }

  async lockCandidates(
    project: string,
    needsIds: readonly string[],
    limitPerNeeds: number,
  ): Promise<Candidates> {
    const rows: ReadyRow[] = [];
    for (const id of needsIds) {
      const heads = this.#memory.queue.heads(project, id, limitPerNeeds);
      if (heads === null) throw new NotRemembered();
      rows.push(...heads);
    }
    return { rows, versions: new Map(rows.map(({ runId }) => [runId, this.#run(runId)])) };
  }

  async lockFreeSlots(project: string): Promise<readonly LimitSlotRow[]> {
    if (!this.#memory.isUnlimited(project)) throw new NotRemembered();
    this.#limitsOf.add(project);
    return [];
  }

  async loadRows<T extends TableName>(
    table: T,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Tables[T]>> {
    const rows = new Map<string, Tables[T]>();
    for (const id of ids) {
      if (table === 'workers') rows.set(id, this.#worker(id) as Tables[T]);
      else if (table !== 'budgets' || !this.#memory.isUnlimited(id)) throw new NotRemembered();
    }
    return rows;
  }

  readonly loadList: BatchReads['loadList'] = async (list, owners) => {
    const isKnown = list === 'limitsOfProject' || list === 'parkingsOfProject';
    if (!isKnown || !owners.every((id) => this.#memory.isUnlimited(id))) throw new NotRemembered();
    return new Map(owners.map((id) => [id, new Map()]));
  };

  async loadSlots(workers: readonly string[]): Promise<ReadonlyMap<string, readonly SlotRow[]>> {
    return new Map(
      workers.map((id) => {
        const slots = this.#memory.slotsOf(id);
        if (slots === undefined) throw new NotRemembered();
        return [id, slots];
      }),
    );
  }

  seeQueue(): Promise<never> {
    return Promise.reject(new NotRemembered());
  }

  lockRisen(): Promise<never> {
    return Promise.reject(new NotRemembered());
  }

  #run(id: string): number {
    const version = this.#memory.runs.versionOf(id);
    if (version === undefined) throw new NotRemembered();
    this.#runs.set(id, version);
    return version;
  }

  #worker(id: string): Tables['workers'] {
    const known = this.#memory.worker(id);
    if (known === undefined) throw new NotRemembered();
    this.#workers.set(id, known.changes);
    return known.row;
  }
}
