import { AppError, isTerminalRun } from '@baton/contract';
import type { CoordinatorStore } from '@baton/coordinator';
import type { EventHub, feedStart } from '@baton/server';
import { Follower } from './actors/follower.ts';
import { SimClients } from './actors/sim-clients.ts';
import { strike } from './actors/nemesis.ts';
import { FeedReader } from './actors/feed-reader.ts';
import { SimWorker } from './actors/sim-worker.ts';
import { WORKER_CAN } from './actors/worker-line.ts';
import { CommitChecks } from './checks/commit-checks.ts';
import { History } from './checks/history.ts';
import { EventLoop } from './event-loop.ts';
import { FaultList, type Fault } from './faults-found.ts';
import type { SimPlan } from './plan.ts';
import { CALM, type Profile } from './profile.ts';
import { Replica } from './replica.ts';
import { createRng, type Rng } from './rng.ts';
import { Sometimes } from './sometimes.ts';
import type { AdminSession } from '@baton/store';
import { SqlSide } from './sql/sql-side.ts';
import type { MemoryStore, Snap } from './store/memory-store.ts';
import { SimDatabase, type StoredEvent } from './store/sim-database.ts';
import { TraceHash } from './trace-hash.ts';

/** A defect put in on purpose, through ports that are there anyway. */
export interface Mutant {
  readonly name: string;
  /** Wraps the store of a replica. */
  readonly store?: (store: CoordinatorStore) => CoordinatorStore;
  /** Wraps the database in SQL, which then is not the one in memory any more. */
  readonly sql?: (store: CoordinatorStore) => CoordinatorStore;
  /** Spoils something until the answered function is called. */
  readonly apply?: () => () => void;
  /** Spoils the database itself. */
  readonly database?: (db: SimDatabase) => void;
  /** Reads the feed in another way. */
  readonly eventsAfter?: (
    feed: readonly StoredEvent[],
    pos: number,
    limit: number,
  ) => readonly StoredEvent[];
  /** Reads cursors in another way. */
  readonly feedStart?: typeof feedStart;
  /** Serves followers in another way. */
  readonly hub?: (hub: EventHub) => EventHub;
  /** Reads the state that a follower begins with in another way. */
  readonly snapshot?: (store: MemoryStore) => Promise<Snap>;
}

/** What a simulation came to. */
export interface SimResult {
  readonly faults: readonly Fault[];
  readonly sometimes: Sometimes;
  /** Equal for equal plans. */
  readonly trace: string;
  readonly steps: number;
  readonly commands: number;
  readonly commits: number;
  readonly virtualMs: number;
}

const START_MS = Date.UTC(2030, 0, 1);
const playMsMax = 16 * 60_000;
/** After faults have healed everything must come to rest within this much virtual time. */
const restMsMax = 3 * 3_600_000;
const requestMsMax = 30_000;

/** The world of one seed: replicas, database, workers, clients, time. */
export class Sim {
  readonly plan: SimPlan;
  readonly mutant: Mutant | undefined;
  readonly project = 'prj_sim';
  readonly rng: Rng;
  /** Chance of what has no owner. */
  readonly noise: Rng;
  readonly loop: EventLoop;
  readonly faults: FaultList;
  readonly sometimes = new Sometimes();
  readonly checks: CommitChecks;
  readonly db: SimDatabase;
  readonly sql: SqlSide | undefined;
  readonly history: History;
  readonly replicas: Replica[];
  readonly workers: SimWorker[] = [];
  readonly clients: SimClients;
  readonly readers: FeedReader[] = [];
  readonly followers: Follower[] = [];
  isHealed = false;
  blackoutUntilMs = 0;
  #ids = 0;
  #enlisted = 0;

  /** `admin`: a connection to a database in SQL, which then must be the same as the one in memory. */
  constructor(plan: SimPlan, mutant?: Mutant, admin?: AdminSession) {
    this.plan = plan;
    this.mutant = mutant;
    this.rng = createRng(plan.seed);
    this.noise = this.rng.fork('noise');
    this.loop = new EventLoop(START_MS, this.rng.fork('ties'));
    this.faults = new FaultList(() => this.loop.nowMs - START_MS);
    const isQuick = plan.replicas > 1 && plan.profile.workers.includes('quick');
    this.checks = new CommitChecks(this.faults, this.sometimes, isQuick);
    this.db = new SimDatabase(this.loop, this.checks);
    this.sql =
      admin === undefined
        ? undefined
        : new SqlSide(admin, this.loop, this.db, this.faults, mutant?.sql);
    this.history = new History(this.db, this.checks, this.faults, this.sometimes);
    this.replicas = Array.from(
      { length: plan.replicas },
      (_, index) => new Replica(this, `r${index}`),
    );
    this.clients = new SimClients(this);
    mutant?.database?.(this.db);
    for (const name of ['f0', 'f1']) this.readers.push(new FeedReader(this, name));
    for (const name of ['s0', 's1']) this.followers.push(new Follower(this, name));
  }

  /** Nothing goes wrong any more once it is healed. */
  get profile(): Profile {
    return this.isHealed ? CALM : this.plan.profile;
  }

  readonly newId = (prefix: string): string => `${prefix}_${String(++this.#ids).padStart(7, '0')}`;

  /** One of the replicas that can be reached now. */
  anyReplica(rng: Rng): Replica | undefined {
    const there = this.replicas.filter((it) => it.isReachable);
    return there.length === 0 ? undefined : rng.pick(there);
  }

  /**
   * A call over HTTP to some replica: it may be lost, arrive twice, or its answer may be lost.
   * @throws {AppError} `timeout` when no answer came in time
   */
  request<T>(rng: Rng, call: (replica: Replica) => Promise<T>): Promise<T> {
    const { loop, profile } = this;
    const way = (): number => rng.between(0, profile.messageMsMax);
    return new Promise((resolve, reject) => {
      loop.after(requestMsMax, () => reject(new AppError('timeout', 'no answer')));
      const arrive = (isAnswered: boolean): void => {
        const replica = this.anyReplica(rng);
        if (replica === undefined) {
          if (isAnswered)
            loop.after(way(), () => reject(new AppError('no_coordinator', 'refused')));
          return;
        }
        replica.whenAwake(() => {
          const answer = (settle: () => void): void => {
            if (isAnswered && !rng.chance(profile.messageLost)) loop.after(way(), settle);
          };
          call(replica).then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      };
      if (!rng.chance(profile.messageLost)) loop.after(way(), () => arrive(true));
      if (rng.chance(profile.messageDoubled))
        loop.after(way() + rng.between(0, 20_000), () => arrive(false));
    });
  }

  /** Plays the plan, heals everything, waits for rest, judges. */
  async run(): Promise<SimResult> {
    const undo = this.mutant?.apply?.();
    try {
      for (const replica of this.replicas) replica.boot();
      this.#addWorkers();
      for (const act of this.plan.acts) {
        this.loop.after(act.atMs, () => {
          if (act.kind === 'client') this.clients.act(act);
          else strike(this, act);
        });
      }
      await this.loop.run(START_MS + (this.plan.playMs ?? playMsMax), () => this.faults.any);
      if (!this.faults.any) await this.#rest();
      if (!this.faults.any) this.#judge();
      if (!this.faults.any) await this.sql?.compareAll();
    } finally {
      undo?.();
    }
    return this.#result();
  }

  /** Registers the workers, again and again until each is known. */
  #addWorkers(): void {
    this.plan.profile.workers.forEach((kind, index) => {
      const worker = new SimWorker(this, `w${index}`, kind);
      this.workers.push(worker);
      this.enlist(worker);
    });
  }

  /** Has a worker registered, for the first time or anew. */
  enlist(worker: SimWorker): void {
    this.#enlisted += 1;
    void this.#register(worker, this.#enlisted);
  }

  async #register(worker: SimWorker, index: number): Promise<void> {
    const rng = this.rng.fork(`register ${worker.name} ${index}`);
    const base = {
      project: this.project,
      actor: { kind: 'user', id: 'usr_1', name: 'ada' },
    } as const;
    for (let tries = 0; ; tries++) {
      let token = '';
      try {
        await this.request(rng, (replica) => {
          // The server makes the token, anew for each request.
          token = `jtk_${index}_${tries}_${this.newId('t')}`;
          return replica.submit({
            ...base,
            type: 'joinToken.create',
            body: { name: worker.name, labels: {}, max_uses: 1, ephemeral: false },
            id: token,
            tokenHash: `hash ${token}`,
            expiresAtMs: this.db.nowMs() + 3_600_000,
          });
        });
        const { worker: id } = await this.request(rng, (replica) =>
          replica.submit({
            ...base,
            type: 'worker.register',
            body: {
              name: worker.name,
              slots: worker.slots,
              labels: {},
              capabilities: WORKER_CAN,
              ephemeral: false,
            },
            joinToken: token,
            ownWorker: null,
            keyHash: `key ${token} ${tries}`,
          }),
        );
        worker.begin(id ?? '');
        return;
      } catch {
        await this.loop.sleep(rng.between(500, 5_000));
      }
    }
  }

  /** Faults end, people decide what is open: now all must come to an end by itself. */
  async #rest(): Promise<void> {
    this.isHealed = true;
    this.blackoutUntilMs = 0;
    this.db.awayUntilMs = 0;
    for (const replica of this.replicas) replica.boot();
    const untilMs = this.loop.nowMs + restMsMax;
    const isOver = (): boolean => this.faults.any || this.#isQuiet();
    while (this.loop.nowMs < untilMs && !isOver()) {
      await this.loop.run(this.loop.nowMs + 60_000, isOver);
      if (isOver()) break;
      void this.clients.settleAll();
    }
    // A little more, for what follows an end.
    await this.loop.run(this.loop.nowMs + 300_000, () => this.faults.any);
  }

  #isQuiet(): boolean {
    return this.db.world.all('runs').every((it) => isTerminalRun(it.status));
  }

  #judge(): void {
    const { world } = this.db;
    for (const run of world.all('runs')) {
      if (isTerminalRun(run.status)) continue;
      const tasks = world
        .list('tasksOfRun', run.id)
        .map((it) => `${it.key} ${it.status} (${it.reason ?? ''})`);
      this.faults.report('all-ends', `run ${run.id} is ${run.status}: ${tasks.join(', ')}`);
    }
    for (const row of world.all('ready'))
      this.faults.report('queue-drains', `task ${row.taskId} is still in the queue`);
    for (const attempt of world.all('attempts')) {
      if (attempt.endedAtMs === null)
        this.faults.report('queue-drains', `attempt ${attempt.id} is ${attempt.status}`);
    }
    for (const timer of world.all('timers'))
      this.faults.report('queue-drains', `timer ${timer.kind} of ${timer.runId} is left`);
    this.checks.audit(world);
    this.history.finish();
    for (const follower of this.followers) follower.finish();
    this.#lookAtSituations();
  }

  /** Situations that are seen by counters. */
  #lookAtSituations(): void {
    if (this.db.locks.waits > 0) this.sometimes.saw('a lock was waited for');
  }

  #result(): SimResult {
    const hash = new TraceHash();
    for (const { pos, event } of this.db.feed) hash.add(JSON.stringify([pos, event]));
    for (const table of ['runs', 'tasks', 'attempts', 'workers', 'checkpoints'] as const)
      for (const row of this.db.world.all(table)) hash.add(JSON.stringify(row));
    hash.add(String(this.loop.steps));
    return {
      faults: this.faults.all,
      sometimes: this.sometimes,
      trace: hash.text(),
      steps: this.loop.steps,
      commands: this.history.length,
      commits: this.db.commits,
      virtualMs: this.loop.nowMs - START_MS,
    };
  }
}
