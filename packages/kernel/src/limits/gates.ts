import type { HardNeeds, LimitRow, LimitSlotRow, ParkingRow, WorkerRow } from '../rows.ts';
import { enginesOf } from '../matching/fits.ts';
import { engineKey } from './limit-keys.ts';
import { mayStart, nextStartMs } from './rate.ts';

/** Why work cannot start although a worker is there for it. */
export interface Shut {
  readonly kind: 'full' | 'rate' | 'parked';
  /** The key of the limit, or the engine that is parked. */
  readonly key: string;
  /** When it opens by itself; null: when somebody gives a place back. */
  readonly untilMs: number | null;
}

/** The limits of a project, their free places, and the engines that providers refuse. */
export interface GateRows {
  readonly limits: readonly LimitRow[];
  /** Free places that may be taken; a limit that has none here is full, or others are at it. */
  readonly freeSlots: readonly LimitSlotRow[];
  readonly parkings: readonly ParkingRow[];
}

/**
 * What holds work back now besides missing workers. Asked for each set of needs, not for each task, so
 * that a key which is full never stands before work that does not count under it. Taking is remembered.
 */
export class Gates {
  readonly nowMs: number;
  readonly #limits = new Map<string, LimitRow>();
  readonly #free = new Map<string, LimitSlotRow[]>();
  readonly #parkings: readonly ParkingRow[];

  constructor(rows: GateRows, nowMs: number) {
    this.nowMs = nowMs;
    for (const limit of rows.limits) this.#limits.set(limit.key, limit);
    for (const slot of rows.freeSlots) {
      const free = this.#free.get(slot.limitId);
      if (free === undefined) this.#free.set(slot.limitId, [slot]);
      else free.push(slot);
    }
    for (const free of this.#free.values()) free.sort((a, b) => b.no - a.no);
    this.#parkings = rows.parkings.filter((it) => it.untilMs > nowMs);
  }

  /** Keys that have a limit. */
  get keys(): ReadonlySet<string> {
    return new Set(this.#limits.keys());
  }

  /** The first of some keys that lets nobody start now, or null. */
  shutBy(keys: readonly string[]): Shut | null {
    for (const key of keys) {
      const limit = this.#limits.get(key);
      if (limit === undefined) continue;
      if (limit.maxRunning !== null && (this.#free.get(limit.id)?.length ?? 0) === 0) {
        return { kind: 'full', key, untilMs: null };
      }
      if (!mayStart(limit, this.nowMs)) {
        return { kind: 'rate', key, untilMs: Math.ceil(nextStartMs(limit)) };
      }
    }
    return null;
  }

  /**
   * The engine that a worker would use now for some needs, or what forbids it; null: it has none.
   * `engines`: those that would do, where they are known.
   */
  engineNow(
    needs: HardNeeds,
    worker: WorkerRow,
    engines: readonly string[] = enginesOf(needs, worker.capabilities),
  ): { readonly engine: string } | Shut | null {
    // Of nearly all projects nothing is limited or parked; this is asked for each task and worker.
    const isOpen = this.#limits.size === 0 && this.#parkings.length === 0;
    const isRefused = !isOpen && needs.engine !== null && this.#isParkedAnywhere(needs.engine);
    let shut: Shut | null = null;
    for (const engine of engines) {
      if (engine === needs.fallbackEngine && engine !== needs.engine && !isRefused) continue;
      const now = isOpen
        ? null
        : (this.#parkedOn(engine, worker) ?? this.shutBy([engineKey(engine)]));
      if (now === null) return { engine };
      shut ??= now;
    }
    return shut;
  }

  /** Takes a place under each of some keys. Answers the limits and the places, as they were. */
  take(keys: readonly string[]): {
    readonly slots: readonly LimitSlotRow[];
    readonly rates: readonly LimitRow[];
  } {
    const slots: LimitSlotRow[] = [];
    const rates: LimitRow[] = [];
    for (const key of keys) {
      const limit = this.#limits.get(key);
      if (limit === undefined) continue;
      const slot = limit.maxRunning === null ? undefined : this.#free.get(limit.id)?.pop();
      if (slot !== undefined) slots.push(slot);
      if (limit.ratePerMinute !== null) rates.push(limit);
    }
    return { slots, rates };
  }

  /** Remembers a limit whose rate was used. */
  put(limit: LimitRow): void {
    this.#limits.set(limit.key, limit);
  }

  /** When the first of what is shut now opens by itself, or null. */
  opensAtMs(): number | null {
    const instants = [...this.#limits.values()]
      .filter((it) => !mayStart(it, this.nowMs))
      .map((it) => Math.ceil(nextStartMs(it)));
    instants.push(...this.#parkings.map((it) => it.untilMs));
    return instants.length === 0 ? null : Math.min(...instants);
  }

  #isParkedAnywhere(engine: string): boolean {
    return this.#parkings.some((it) => it.engine === engine);
  }

  #parkedOn(engine: string, worker: WorkerRow): Shut | null {
    const account = accountOf(worker, engine);
    const parking = this.#parkings.find(
      (it) =>
        it.engine === engine &&
        (it.account === null ? it.workerId === worker.id : it.account === account),
    );
    return parking === undefined ? null : { kind: 'parked', key: engine, untilMs: parking.untilMs };
  }
}

/** Who a worker's engine is logged in as, if it tells. */
export function accountOf(worker: Pick<WorkerRow, 'capabilities'>, engine: string): string | null {
  return worker.capabilities.engines.find((it) => it.name === engine)?.account ?? null;
}
