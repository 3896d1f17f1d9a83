import {
  assembleCoordinator,
  type Coordinator,
  type CoordinatorOptions,
  type Runtime,
  type SubmitOptions,
} from '@baton/coordinator';
import { AppError, type Command } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import { StoreError } from '@baton/store';
import { Edge } from './edge.ts';
import { apartMs } from './link.ts';
import type { Sim } from './sim.ts';
import type { CommitFate, Wire } from './store/memory-tx.ts';
import { createMemoryStore, type MemoryStore } from './store/memory-store.ts';
import type { Rng } from './rng.ts';
import type { StoredEvent } from './store/sim-database.ts';
import { tinyValidator } from './tiny-validator.ts';
import type { CoordinatorStore } from '@baton/coordinator';

/** Between two looks for what is to be purged. */
const purgeMs = 60_000;

/** One life of a control plane process. What it had to do is forgotten when it dies. */
class Life {
  isAlive = true;
  pausedUntilMs = 0;
}

/** The state as a reader begins with it: how what has ended ended. */
export interface Snapshot {
  readonly cursor: string;
  readonly ends: readonly (readonly [name: string, end: string])[];
}

/** A control plane: the real coordinator, on a process that can die, stand still and come back. */
export class Replica {
  readonly name: string;
  readonly #sim: Sim;
  readonly #rng: Rng;
  #life: Life | undefined;
  #store: MemoryStore | undefined;
  /** Undefined while it is down or not ready. */
  coordinator: Coordinator | undefined;
  edge: Edge | undefined;
  /** What its machine's clock is off by. */
  wallOffsetMs = 0;

  constructor(sim: Sim, name: string) {
    this.#sim = sim;
    this.name = name;
    this.#rng = sim.rng.fork(`replica ${name}`);
  }

  get isUp(): boolean {
    return this.coordinator !== undefined;
  }

  /** Starts a process; it is there once its services are. */
  boot(): void {
    if (this.#life?.isAlive === true) return;
    const life = new Life();
    this.#life = life;
    const memory = createMemoryStore(this.#sim.db, this.#wire(life), this.#sim.loop, this.#sim.sql);
    this.#store = memory;
    const spoilt: CoordinatorStore = this.#sim.mutant?.store?.(memory) ?? memory;
    const store = this.#sim.replicas.length > 1 ? { ...spoilt, openHints } : spoilt;
    const runtime = this.#runtime(life);
    const coordinator = assembleCoordinator(
      { store, runtime, validator: tinyValidator },
      this.#options(),
    );
    const { commits } = this.#sim.db;
    const beganDbMs = this.#sim.db.nowMs();
    coordinator.start().then(
      () => {
        if (!life.isAlive) return;
        this.coordinator = coordinator;
        this.edge = new Edge(this.#sim, this, coordinator, memory.reads);
        this.#sim.history.graced(beganDbMs, commits);
        void this.#purgeOn(life, memory);
      },
      () => {
        this.crash();
        this.#sim.loop.after(1_000, () => this.boot());
      },
    );
  }

  /** Takes away what is to be purged, a piece at a time, as long as it lives. */
  async #purgeOn(life: Life, store: MemoryStore): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => this.#after(life, purgeMs, resolve));
      try {
        for (const what of await store.listPurgeable(20)) {
          let gone = -1;
          while (gone !== 0) gone = await store.purgeStep(what);
          const { sometimes } = this.#sim;
          if (what.task === null) sometimes.saw('a run was purged');
          else sometimes.saw('a task was purged out of a run that stays');
          this.edge?.hub.forget();
        }
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
    }
  }

  /** Dies at once: what it was about to do or to say is not done and not said. */
  crash(): void {
    const life = this.#life;
    if (life === undefined || !life.isAlive) return;
    life.isAlive = false;
    this.edge?.hangUpAll();
    this.coordinator = undefined;
    this.edge = undefined;
    const store = this.#store;
    this.#sim.loop.after(this.#rng.between(0, 2_000), () => store?.disconnect());
  }

  /** Stops as an operator would: finishes what waits. */
  async stop(): Promise<void> {
    const { coordinator } = this;
    this.edge?.hangUpAll();
    this.coordinator = undefined;
    this.edge = undefined;
    await coordinator?.stop();
    if (this.#life !== undefined) this.#life.isAlive = false;
  }

  /** Stands still: nothing runs in it until then, and its clock goes on. */
  stall(ms: number): void {
    if (this.#life === undefined) return;
    this.#life.pausedUntilMs = Math.max(this.#life.pausedUntilMs, this.#sim.loop.nowMs + ms);
  }

  /**
   * Hands a command to the coordinator and has what came of it checked.
   * @throws {AppError} when it is refused or the replica is not there
   */
  async submit(command: Command, options: SubmitOptions = {}): Promise<Reply> {
    const { coordinator } = this;
    if (coordinator === undefined) throw new AppError('no_coordinator', 'not there');
    const asked = this.#sim.history.asked(this.name, command, options);
    try {
      const reply = await coordinator.submit(command, options);
      this.#sim.history.accepted(asked, reply);
      return reply;
    } catch (error) {
      this.#sim.history.refused(asked, error);
      throw error;
    }
  }

  /** The page of the feed behind a place, as a route reads it. */
  async eventsAfter(pos: number, limit: number): Promise<readonly StoredEvent[]> {
    if (this.coordinator === undefined) throw new AppError('no_coordinator', 'not there');
    const read = this.#sim.mutant?.eventsAfter ?? readFeed;
    return read(this.#sim.db.feed, pos, limit);
  }

  /** How tasks and runs stand, of one moment, and the cursor that stands for it. */
  async snapshot(): Promise<Snapshot> {
    const store = this.#store;
    if (this.coordinator === undefined || store === undefined)
      throw new AppError('no_coordinator', 'not there');
    const incarnation = this.coordinator.incarnation();
    const { pos, ends } = await (this.#sim.mutant?.snapshot?.(store) ?? store.snapshot());
    return { cursor: `${incarnation}.${pos}`, ends };
  }

  /** Calls after a delay, unless it dies before. */
  readonly later = (delayMs: number, call: () => void): (() => void) => {
    const life = this.#life;
    return life === undefined ? () => undefined : this.#after(life, delayMs, call);
  };

  /** Whether a message can reach it now. */
  get isReachable(): boolean {
    return this.isUp && this.#sim.loop.nowMs >= this.#sim.blackoutUntilMs;
  }

  /** Calls when the process is awake; never when it has died meanwhile. */
  whenAwake(call: () => void): void {
    if (this.#life !== undefined) this.#whenAwake(this.#life, call);
  }

  #whenAwake(life: Life, call: () => void): void {
    if (!life.isAlive) return;
    const { loop } = this.#sim;
    if (life.pausedUntilMs > loop.nowMs) {
      loop.after(life.pausedUntilMs - loop.nowMs, () => this.#whenAwake(life, call));
      return;
    }
    call();
  }

  #after(life: Life, delayMs: number, call: () => void): () => void {
    return this.#sim.loop.after(delayMs, () => this.#whenAwake(life, call));
  }

  #runtime(life: Life): Runtime {
    const { loop, newId } = this.#sim;
    const bornMs = loop.nowMs;
    return {
      monotonicMs: () => loop.nowMs - bornMs,
      wallMs: () => loop.nowMs + this.wallOffsetMs,
      after: (delayMs, call) => this.#after(life, delayMs, call),
      sleep: (ms) => new Promise((resolve) => this.#after(life, ms, resolve)),
      turn: () => new Promise((resolve) => this.#after(life, 0, resolve)),
      newId,
      random: () => this.#rng.next(),
    };
  }

  #wire(life: Life): Wire {
    const { loop, profile, db, sometimes } = this.#sim;
    const way = (): number => this.#rng.between(0, profile.storeMsMax);
    const line = this.#line(life, way);
    return {
      replica: this.name,
      call: (work) =>
        new Promise((resolve, reject) => {
          if (!life.isAlive) return;
          const back = (settle: () => void): void => {
            this.#after(life, way(), settle);
          };
          loop.after(way(), () => {
            if (loop.nowMs < db.awayUntilMs) {
              back(() => reject(new StoreError('unavailable', 'the database is away')));
              return;
            }
            if (this.#rng.chance(profile.statementLost)) {
              back(() => reject(new StoreError('retryable', 'the connection was lost')));
              return;
            }
            Promise.resolve()
              .then(work)
              .then(
                (value) => back(() => resolve(value)),
                (error: unknown) => back(() => reject(error)),
              );
          });
        }),
      fate: () => this.#fate(life),
      lateMs: () => this.#rng.between(0, 4_000),
      ...line,
      arrivesToo: () => this.#rng.chance(0.5),
      isAway: () => loop.nowMs < db.awayUntilMs,
      saw: (situation) => sometimes.saw(situation),
    };
  }

  /** A connection on which everything arrives in the order it was sent, in both directions. */
  #line(life: Life, way: () => number): Pick<Wire, 'send' | 'answer'> {
    const { loop } = this.#sim;
    const answers: (() => void)[] = [];
    let sentMs = 0;
    let answeredMs = 0;
    return {
      send: (arrive) => {
        if (!life.isAlive) return;
        sentMs = Math.max(sentMs + apartMs, loop.nowMs + way());
        loop.after(sentMs - loop.nowMs, arrive);
      },
      answer: (settle) => {
        // What comes while the process stands still is read in order when it goes on.
        answers.push(settle);
        answeredMs = Math.max(answeredMs + apartMs, loop.nowMs + way());
        this.#after(life, answeredMs - loop.nowMs, () => answers.shift()?.());
      },
    };
  }

  #fate(life: Life): CommitFate {
    const { profile, sometimes } = this.#sim;
    const rng = this.#rng;
    if (life.isAlive && rng.chance(profile.crashBeforeCommit)) {
      sometimes.saw('a replica died before a COMMIT');
      this.#dieAndReturn();
      return 'aborted';
    }
    if (life.isAlive && rng.chance(profile.crashAfterCommit)) {
      sometimes.saw('a replica died after a COMMIT and before its answer');
      this.#dieAndReturn();
      return 'applied';
    }
    if (rng.chance(profile.commitAborted)) return 'aborted';
    if (rng.chance(profile.commitUnknownApplied)) return 'unknown_applied';
    if (rng.chance(profile.commitUnknownLost)) return 'unknown_lost';
    if (rng.chance(profile.commitUnknownLate)) {
      sometimes.saw('a COMMIT came late');
      return 'unknown_late';
    }
    return 'applied';
  }

  #dieAndReturn(): void {
    this.crash();
    this.#sim.loop.after(this.#rng.between(100, 20_000), () => this.boot());
  }

  #options(): CoordinatorOptions {
    const { faults, sometimes } = this.#sim;
    return {
      engines: ['shell', 'claude', 'codex'],
      log: {
        debug: () => {},
        info: () => {},
        warn: (facts: unknown, text?: string) => {
          if (text?.includes('halves') === true) {
            sometimes.saw('a bad command was cut out of its batch');
            reportBug(facts);
          }
        },
        error: (facts: unknown) => reportBug(facts),
      },
    };

    function reportBug(facts: unknown): void {
      const error = (facts as { error?: unknown }).error;
      if (error instanceof StoreError || error instanceof AppError) return;
      faults.report(
        'no-bug',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
    }
  }
}

/** There may be others, and nothing is heard of them: what they did is found by looking. */
const openHints = (): Promise<never> =>
  Promise.reject(new StoreError('unavailable', 'no line carries hints here'));

/** `pos > cursor`, oldest first, as the statement of the store has it. */
function readFeed(feed: readonly StoredEvent[], pos: number, limit: number): StoredEvent[] {
  return feed.filter((it) => it.pos > pos).slice(0, limit);
}
