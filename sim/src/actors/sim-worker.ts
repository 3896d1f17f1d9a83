import type { Reply } from '@baton/kernel';
import type { CountedCommand, DownFrame, Given } from '../edge.ts';
import type { WorkerKind } from '../profile.ts';
import type { Sim } from '../sim.ts';
import { SimAgent, type Held } from './sim-agent.ts';
import { WorkerLine } from './worker-line.ts';
import { awaitOf, isReport, liesOf, newsOf } from './worker-words.ts';

/** A machine with a daemon and its agents, honest or not. Works over a link, or over HTTP alone. */
export class SimWorker {
  readonly name: string;
  readonly kind: WorkerKind;
  readonly slots: number;
  readonly #sim: Sim;
  readonly #line: WorkerLine;
  readonly #agent: SimAgent;
  readonly #held = new Map<string, Held>();
  /** Attempts it once had; the dishonest speak of them. */
  #isAlive = false;
  readonly #past: { readonly id: string; readonly epoch: number }[] = [];

  constructor(sim: Sim, name: string, kind: WorkerKind) {
    this.#sim = sim;
    this.name = name;
    this.kind = kind;
    this.#line = new WorkerLine(sim, name, kind, (rng) => ({
      slots: kind === 'quick' ? 8 : 1 + rng.int(3),
      attempts: () =>
        [...this.#held.values()].map((it) => ({
          id: it.id,
          epoch: it.epoch,
          ended: it.isReported,
        })),
      take: (frame) => this.#take(frame),
      accept: (given) => this.#accept(given),
      busy: () => [...this.#held.values()].filter((it) => !it.isParked).length,
      settle: (command, code, reply) => this.#settle(command, code, reply),
      unknown: () => this.#begone(),
    }));
    this.slots = this.#line.slots;
    this.#agent = new SimAgent(sim, this.#line);
  }

  /** Once it is registered it lives by itself. */
  begin(id: string): void {
    this.#line.id = id;
    this.#line.restart();
    if (this.#isAlive) return;
    this.#isAlive = true;
    this.#line.soon(this.#line.rng.between(5_000, 20_000), () => this.#beatOn());
    if (this.kind === 'liar' || this.kind === 'zombie') this.#mischief();
    if (this.kind === 'paused') this.#line.stallOn();
  }

  get id(): string {
    return this.#line.id;
  }

  /** What it believes, for the report of a failure. */
  describe(): string {
    const held = [...this.#held.values()].map(
      (it) => `${it.id}${it.isReported ? ' reported' : ''}${it.onDecided ? ' asking' : ''}`,
    );
    return `${this.#line.describe()}, holds [${held.join(', ')}]`;
  }

  /** The machine loses everything it had; or only its daemon, and the agents go on. */
  crash(isMachine: boolean): void {
    if (this.#line.isDown) return;
    this.#line.hangUp(isMachine);
    if (isMachine) this.#held.clear();
  }

  /** It was taken out of the fleet: what it has is not its any more, and it joins anew. */
  #begone(): void {
    if (this.#line.id === '') return;
    this.#sim.sometimes.saw('a removed worker joined anew');
    this.#held.clear();
    this.#line.leave();
    this.#sim.enlist(this);
  }

  /** Honest from now on, whatever it was: for the end of a simulation, when faults heal. */
  #isHealed(): boolean {
    return this.#sim.isHealed;
  }

  #take(frame: Exclude<DownFrame, { kind: 'ack' | 'unknown' }>): void {
    switch (frame.kind) {
      case 'welcome':
        for (const id of frame.stop) this.#drop(id);
        return;
      case 'assign':
        this.#accept(frame.assignment);
        return;
      case 'cancel':
        for (const id of frame.attempts) this.#stop(id);
        return;
      case 'hold':
        for (const id of frame.attempts) this.#park(id);
        return;
      case 'stale':
        for (const id of frame.attempts) this.#drop(id);
        return;
      case 'decided':
        this.#decided(frame.attempt);
        return;
      case 'deliver':
        this.#line.soon(this.#line.rng.between(100, 20_000), () => this.#deliver(frame.run));
        return;
    }
  }

  /** What an answer means for the attempt it is about. */
  #settle(command: CountedCommand, code: string | null, reply: Reply | null): void {
    if (command.type === 'task.create') {
      if (code === null) this.#sim.sometimes.saw('an agent handed a task on');
      return;
    }
    if (!('attempt' in command)) return;
    const held = this.#held.get(command.attempt);
    if (held === undefined || held.epoch !== command.body.epoch) return;
    const isEnd = isReport(command);
    if (isEnd && code === 'contract_violation') {
      held.isReported = false;
      this.#line.say({
        ...this.#agent.about(held),
        type: 'attempt.fail',
        body: { epoch: held.epoch, reason: 'bad outputs', failure_class: 'contract_violation' },
      });
      held.isReported = true;
      return;
    }
    if (isEnd || code === 'stale_epoch' || code === 'not_found') this.#drop(held.id);
    if (command.type === 'attempt.checkpoint') {
      if (code !== null) this.#decided(held.id);
      else if (reply?.yields === true && command.body.resume === 'held') this.#park(held.id);
      else if (reply?.yields === true) this.#endTurn(held);
    }
    if (command.type === 'await.open') {
      const next = held.onMet;
      held.onMet = undefined;
      if (reply?.yields === true) this.#endTurn(held);
      else next?.();
    }
  }

  /** Its turn is over and its task goes on later: the process ends, and says so. */
  #endTurn(held: Held): void {
    held.onDecided = undefined;
    this.#stop(held.id);
  }

  /** Its process ends, and it takes no slot; its workspace is kept. */
  #park(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined || held.isReported || held.isParked) return;
    held.isParked = true;
    held.onDecided = undefined;
    this.#sim.sometimes.saw('an attempt was held without its process');
    this.#line.tellSlots();
  }

  #accept(given: Given): void {
    const { id, epoch } = given.attempt;
    if (this.#held.has(id)) return;
    const held: Held = {
      given,
      id,
      epoch,
      isReported: false,
      isParked: false,
      onDecided: undefined,
      onMet: undefined,
    };
    this.#held.set(id, held);
    this.#past.push({ id, epoch });
    const [fromMs, toMs] = this.#between([50, 4_000], 100_000);
    this.#line.soon(this.#line.rng.between(fromMs, toMs), () => this.#work(held));
    this.#line.tellSlots();
  }

  #work(held: Held): void {
    if (!this.#has(held)) return;
    this.#agent.start(held);
    if (this.kind === 'crash_looping' && !this.#isHealed() && this.#line.rng.chance(0.6)) {
      this.#line.soon(this.#line.rng.between(0, 3_000), () =>
        this.crash(this.#line.rng.chance(0.7)),
      );
    }
    this.#go(held, this.kind === 'quick' ? 0 : this.#line.rng.int(4));
  }

  /** How long something takes, at least and at most; `slowMs`: at most where it is slow. */
  #between([fromMs, toMs]: readonly [number, number], slowMs: number): readonly [number, number] {
    if (this.kind === 'quick') return [0, 60];
    return [fromMs, this.kind === 'slow' && !this.#isHealed() ? slowMs : toMs];
  }

  /** A few things, one after the other, then the end. */
  #go(held: Held, left: number): void {
    const [fromMs, toMs] = this.#between([200, 20_000], 150_000);
    this.#line.soon(this.#line.rng.between(fromMs, toMs), () => {
      if (!this.#has(held) || held.isParked) return;
      if (left === 0) {
        this.#agent.finish(held);
        return;
      }
      const { epoch } = held;
      const about = this.#agent.about(held);
      const what = this.#line.rng.int(this.#isHealed() ? 3 : 9);
      if (what <= 1) {
        const body = { epoch, ...newsOf(this.#line.rng, left) };
        this.#line.say({ ...about, type: 'attempt.progress', body });
      } else if (what === 2) {
        this.#agent.output(held);
      } else if (what === 3) {
        this.#line.say({ ...about, type: 'attempt.note', body: { epoch, text: 'noted' } });
      } else if (what === 4) {
        held.onDecided = () => this.#go(held, left - 1);
        this.#agent.ask(held, left);
        return;
      } else {
        if (what !== 8) this.#agent.handOn(held, left);
        if (what >= 7) {
          held.onMet = () => this.#go(held, left - 1);
          this.#line.say({ ...about, type: 'await.open', body: awaitOf(this.#line.rng, epoch) });
          return;
        }
      }
      this.#go(held, left - 1);
    });
  }

  #decided(id: string): void {
    const held = this.#held.get(id);
    if (held?.onDecided === undefined || held.isParked) return;
    // News of any decision: whether it is this one's is seen by asking.
    const open = this.#sim.db.world
      .list('checkpointsOfAttempt', id)
      .some((it) => it.status === 'open');
    if (open) return;
    const next = held.onDecided;
    held.onDecided = undefined;
    next();
  }

  /** The control plane wants an attempt ended: its process stops and reports. A zombie does not care. */
  #stop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined || held.isReported) return;
    if (this.kind === 'zombie' && !this.#isHealed()) return;
    this.#line.soon(this.#line.rng.between(100, 8_000), () => {
      if (!this.#has(held) || held.isReported) return;
      held.isReported = true;
      this.#agent.stopped(held);
    });
  }

  /** It is over with this attempt here. */
  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (this.kind === 'zombie' && !this.#isHealed() && !held.isReported) return;
    this.#held.delete(id);
    this.#line.tellSlots();
  }

  #deliver(run: string): void {
    const order = this.#sim.db.world.row('runs', run)?.deliveryOrder;
    if (order === null || order === undefined) return;
    const { commit, branch } = order;
    this.#line.say({
      ...this.#line.base(),
      type: 'run.delivered',
      worker: this.#line.id,
      run,
      delivery: this.#line.rng.chance(0.8)
        ? { state: 'delivered', repo: commit.repo, commit: commit.commit, branch }
        : { state: 'refused', detail: 'no' },
    });
  }

  #beatOn(): void {
    const isSlow = this.kind === 'slow' && !this.#isHealed();
    this.#line.soon(10_000 * this.#line.rng.between(0.8, isSlow ? 2.5 : 1.2), () => this.#beatOn());
    if (this.#line.isDown) return;
    // News of decisions may be lost with the replica that had them: agents ask from time to time.
    for (const id of this.#held.keys()) this.#decided(id);
    const command = {
      ...this.#line.base(),
      type: 'worker.heartbeat' as const,
      worker: this.#line.id,
      beat: { attempts: [...this.#held.values()].map(({ id, epoch }) => ({ id, epoch })) },
    };
    if (this.kind !== 'http') {
      this.#line.send({ kind: 'beat', command });
      return;
    }
    this.#sim
      .request(this.#line.rng, (replica) => replica.submit(command))
      .then(
        ({ cancel = [], stale = [] }) => {
          for (const { attempt, how } of cancel) {
            if (how === 'hold') this.#park(attempt);
            else this.#stop(attempt);
          }
          for (const id of stale) this.#drop(id);
        },
        () => undefined,
      );
  }

  /** What the dishonest say: reports on attempts of the past, wrong epochs, attempts of others. */
  #mischief(): void {
    this.#line.soon(this.#line.rng.between(3_000, 40_000), () => {
      if (this.#isHealed()) return;
      this.#mischief();
      const isLiar = this.kind === 'liar';
      const others = isLiar && this.#line.rng.chance(0.5) ? this.#sim.db.world.all('attempts') : [];
      const target = isLiar && others.length > 0 ? this.#line.rng.pick(others) : undefined;
      const past = this.#past.length > 0 ? this.#line.rng.pick(this.#past.slice(-4)) : undefined;
      const id = target?.id ?? past?.id;
      if (id === undefined) return;
      const epoch = (target?.epoch ?? past?.epoch ?? 0) + (isLiar ? this.#line.rng.int(3) - 1 : 0);
      const lies = liesOf({ ...this.#line.base(), attempt: id, worker: this.#line.id }, epoch);
      this.#line.say(this.#line.rng.pick(lies));
    });
  }

  #has(held: Held): boolean {
    // Agents outlive their daemon; what a dead machine had is not held any more.
    return this.#held.get(held.id) === held;
  }
}
