import type { Actor, Command, TaskResult } from '@baton/contract';
import { capabilities } from '@baton/contract';
import {
  codeOf,
  type CountedCommand,
  type DownFrame,
  type Given,
  type WorkerLink,
} from '../edge.ts';
import { Link } from '../link.ts';
import type { WorkerKind } from '../profile.ts';
import type { Replica } from '../replica.ts';
import type { Rng } from '../rng.ts';
import type { Sim } from '../sim.ts';
import { failureOf, liesOf, newsOf, questionOf, resultOf } from './worker-words.ts';

/** An attempt that the worker has on its machine. */
interface Held {
  readonly given: Given;
  readonly id: string;
  readonly epoch: number;
  /** Its report was sent; it is named in hellos as ended until that is acknowledged. */
  isReported: boolean;
  /** Goes on when its question is decided. */
  onDecided: (() => void) | undefined;
}

interface Sent {
  readonly seq: number;
  readonly command: CountedCommand;
}

/** What every worker of a simulation can do. */
export const WORKER_CAN = capabilities.parse({
  engines: ['shell', 'claude', 'codex'].map((name) => ({ name, auth: 'ok' })),
  repos: [{ name: 'r' }],
  languages: ['rust'],
});

/** A machine with a daemon and its agents, honest or not. Works over a link, or over HTTP alone. */
export class SimWorker {
  readonly name: string;
  readonly kind: WorkerKind;
  readonly #sim: Sim;
  readonly #rng: Rng;
  readonly slots: number;
  #id = '';
  /** Grows with each start of the daemon. */
  #start = 0;
  #link: WorkerLink | undefined;
  #pausedUntilMs = 0;
  #isDown = false;
  #seq = 0;
  readonly #held = new Map<string, Held>();
  readonly #unanswered = new Map<number, Sent>();
  /** Attempts it once had; the dishonest speak of them. */
  readonly #past: { readonly id: string; readonly epoch: number }[] = [];

  constructor(sim: Sim, name: string, kind: WorkerKind) {
    this.#sim = sim;
    this.name = name;
    this.kind = kind;
    this.#rng = sim.rng.fork(`worker ${name}`);
    this.slots = 1 + this.#rng.int(3);
  }

  /** Once it is registered it lives by itself. */
  begin(id: string): void {
    this.#id = id;
    this.#restart();
    this.#soon(this.#rng.between(5_000, 20_000), () => this.#beatOn());
    if (this.kind === 'liar' || this.kind === 'zombie') this.#mischief();
    if (this.kind === 'paused') this.#stallOn();
  }

  get id(): string {
    return this.#id;
  }

  /** What it believes, for the report of a failure. */
  describe(): string {
    const held = [...this.#held.values()].map(
      (it) => `${it.id}${it.isReported ? ' reported' : ''}${it.onDecided ? ' asking' : ''}`,
    );
    const link = this.#link === undefined ? 'no link' : 'linked';
    return `${this.name} ${this.kind} ${this.#id}: ${link}, holds [${held.join(', ')}], ${this.#unanswered.size} unanswered`;
  }

  /** The machine loses everything it had; or only its daemon, and the agents go on. */
  crash(isMachine: boolean): void {
    if (this.#isDown) return;
    this.#isDown = true;
    this.#link?.hangUp();
    this.#link = undefined;
    if (isMachine) {
      this.#held.clear();
      this.#unanswered.clear();
    }
    this.#sim.loop.after(this.#rng.between(2_000, 60_000), () => {
      this.#isDown = false;
      this.#restart();
    });
  }

  /** Honest from now on, whatever it was: for the end of a simulation, when faults heal. */
  #isHealed(): boolean {
    return this.#sim.isHealed;
  }

  #restart(): void {
    this.#start += 1;
    if (this.kind === 'http') this.#poll(this.#start);
    else this.#connect(this.#start);
  }

  #connect(start: number): void {
    if (start !== this.#start || this.#isDown) return;
    const replica = this.#sim.anyReplica(this.#rng);
    if (replica?.edge === undefined) {
      this.#soon(this.#rng.between(500, 5_000), () => this.#connect(start));
      return;
    }
    const { loop, profile } = this.#sim;
    const inbox: DownFrame[] = [];
    const link: WorkerLink = new Link(loop, this.#rng, profile.messageMsMax, {
      take: (arrived) => {
        inbox.push(arrived);
        this.#whenAwake(() => {
          const frame = inbox.shift();
          if (frame !== undefined && link === this.#link) this.#take(frame);
        });
      },
      closed: () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        this.#soon(this.#rng.between(500, 10_000), () => this.#connect(start));
      },
    });
    this.#link = link;
    replica.edge.connect(link, this.#id, this.#sim.project);
    link.toServer({
      kind: 'hello',
      command: {
        ...this.#base(),
        type: 'worker.hello',
        worker: this.#id,
        hello: {
          type: 'hello',
          incarnation: `${this.name}-${this.#start}`,
          version: '1',
          slots: this.slots,
          labels: {},
          capabilities: WORKER_CAN,
          draining: false,
          attempts: [...this.#held.values()].map((it) => ({
            id: it.id,
            epoch: it.epoch,
            ended: it.isReported,
          })),
        },
      },
    });
    for (const { seq, command } of this.#unanswered.values())
      link.toServer({ kind: 'counted', seq, command });
    this.#tellSlots();
  }

  #take(frame: DownFrame): void {
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
      case 'stale':
        for (const id of frame.attempts) this.#drop(id);
        return;
      case 'decided':
        this.#decided(frame.attempt);
        return;
      case 'deliver':
        this.#soon(this.#rng.between(100, 20_000), () => this.#deliver(frame.run));
        return;
      case 'ack':
        this.#answered(frame.seq, frame.code, frame.retry);
        return;
    }
  }

  #answered(seq: number, code: string | null, retry: boolean): void {
    const sent = this.#unanswered.get(seq);
    if (sent === undefined) return;
    if (retry) {
      this.#soon(this.#rng.between(500, 5_000), () => {
        if (this.#unanswered.has(seq))
          this.#link?.toServer({ kind: 'counted', seq, command: sent.command });
      });
      return;
    }
    this.#unanswered.delete(seq);
    this.#settle(sent.command, code);
  }

  /** What an answer means for the attempt it is about. */
  #settle(command: CountedCommand, code: string | null): void {
    if (!('attempt' in command)) return;
    const held = this.#held.get(command.attempt);
    if (held === undefined || held.epoch !== command.body.epoch) return;
    const isEnd = isReport(command);
    if (isEnd && code === 'contract_violation') {
      held.isReported = false;
      this.#say({
        ...this.#about(held),
        type: 'attempt.fail',
        body: { epoch: held.epoch, reason: 'bad outputs', failure_class: 'contract_violation' },
      });
      held.isReported = true;
      return;
    }
    if (isEnd || code === 'stale_epoch' || code === 'not_found') this.#drop(held.id);
    if (command.type === 'attempt.checkpoint' && code !== null) this.#decided(held.id);
  }

  #accept(given: Given): void {
    const { id, epoch } = given.attempt;
    if (this.#held.has(id)) return;
    const held: Held = { given, id, epoch, isReported: false, onDecided: undefined };
    this.#held.set(id, held);
    this.#past.push({ id, epoch });
    const isSlow = this.kind === 'slow' && !this.#isHealed();
    this.#soon(this.#rng.between(50, isSlow ? 100_000 : 4_000), () => this.#work(held));
    this.#tellSlots();
  }

  #work(held: Held): void {
    if (!this.#has(held)) return;
    this.#say({
      ...this.#about(held),
      type: 'attempt.start',
      body: { epoch: held.epoch, pid: 1, bases: { 'r@main': `base${this.#rng.int(2)}` } },
    });
    if (this.kind === 'crash_looping' && !this.#isHealed() && this.#rng.chance(0.6)) {
      this.#soon(this.#rng.between(0, 3_000), () => this.crash(this.#rng.chance(0.7)));
    }
    this.#go(held, this.#rng.int(4));
  }

  /** A few things, one after the other, then the end. */
  #go(held: Held, left: number): void {
    const isSlow = this.kind === 'slow' && !this.#isHealed();
    this.#soon(this.#rng.between(200, isSlow ? 150_000 : 20_000), () => {
      if (!this.#has(held)) return;
      if (left === 0) {
        this.#finish(held);
        return;
      }
      const { epoch } = held;
      const about = this.#about(held);
      const what = this.#rng.int(this.#isHealed() ? 3 : 5);
      if (what <= 1) {
        const body = { epoch, ...newsOf(this.#rng, left) };
        this.#say({ ...about, type: 'attempt.progress', body });
      } else if (what === 2) {
        this.#output(held);
      } else if (what === 3) {
        this.#say({ ...about, type: 'attempt.note', body: { epoch, text: 'noted' } });
      } else {
        held.onDecided = () => this.#go(held, left - 1);
        this.#ask(held, left);
        return;
      }
      this.#go(held, left - 1);
    });
  }

  #output(held: Held): void {
    const declared = held.given.task.spec.outputs;
    if (declared.length === 0) return;
    const { key } = this.#rng.pick(declared);
    const data = this.#rng.chance(0.1) ? 7 : `made by ${held.epoch}`;
    this.#say({
      ...this.#about(held),
      type: 'attempt.output',
      body: { epoch: held.epoch, key, data },
    });
  }

  #ask(held: Held, left: number): void {
    const body = { epoch: held.epoch, client_id: `c${left}`, ...questionOf(this.#rng) };
    this.#say({ ...this.#about(held), type: 'attempt.checkpoint', body });
  }

  #decided(id: string): void {
    const held = this.#held.get(id);
    const next = held?.onDecided;
    if (held === undefined || next === undefined) return;
    // News of any decision: whether it is this one's is seen by asking.
    const open = this.#sim.db.world
      .list('checkpointsOfAttempt', id)
      .some((it) => it.status === 'open');
    if (open) return;
    held.onDecided = undefined;
    next();
  }

  #finish(held: Held): void {
    if (held.isReported) return;
    const { epoch } = held;
    const about = this.#about(held);
    const roll = this.#rng.int(this.#isHealed() ? 70 : 100);
    const keys = held.given.task.spec.outputs
      .filter(() => this.#isHealed() || !this.#rng.chance(0.05))
      .map((it) => it.key);
    const result = resultOf(roll, epoch, keys);
    held.isReported = true;
    if (roll < 82) {
      this.#say({ ...about, type: 'attempt.complete', body: { epoch, result } });
      if (this.#rng.chance(0.1))
        this.#soon(this.#rng.between(0, 3_000), () =>
          this.#say({ ...about, type: 'attempt.complete', body: { epoch, result } }),
        );
      return;
    }
    if (roll < 95) {
      const body = failureOf(this.#rng, epoch, this.#sim.db.nowMs());
      this.#say({ ...about, type: 'attempt.fail', body });
      return;
    }
    this.#say({ ...about, type: 'attempt.release', body: { epoch } });
  }

  /** The control plane wants an attempt ended: its process stops and reports. A zombie does not care. */
  #stop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined || held.isReported) return;
    if (this.kind === 'zombie' && !this.#isHealed()) return;
    this.#soon(this.#rng.between(100, 8_000), () => {
      if (!this.#has(held) || held.isReported) return;
      held.isReported = true;
      const { epoch } = held;
      const about = this.#about(held);
      if (this.#rng.chance(0.3)) {
        const result: TaskResult = { status: 'success', summary: 'too late' };
        this.#say({ ...about, type: 'attempt.complete', body: { epoch, result } });
      } else {
        const body = { epoch, reason: 'stopped', failure_class: 'cancelled' as const };
        this.#say({ ...about, type: 'attempt.fail', body });
      }
    });
  }

  /** It is over with this attempt here. */
  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (this.kind === 'zombie' && !this.#isHealed() && !held.isReported) return;
    this.#held.delete(id);
    this.#tellSlots();
  }

  #deliver(run: string): void {
    const order = this.#sim.db.world.row('runs', run)?.deliveryOrder;
    if (order === null || order === undefined) return;
    const { commit, branch } = order;
    this.#say({
      ...this.#base(),
      type: 'run.delivered',
      worker: this.#id,
      run,
      delivery: this.#rng.chance(0.8)
        ? { state: 'delivered', repo: commit.repo, commit: commit.commit, branch }
        : { state: 'refused', detail: 'no' },
    });
  }

  #say(command: CountedCommand): void {
    if (this.kind === 'http') {
      this.#post(command, 0);
      return;
    }
    const seq = ++this.#seq;
    this.#unanswered.set(seq, { seq, command });
    this.#link?.toServer({ kind: 'counted', seq, command });
  }

  /** Over HTTP: sent again until it is answered. */
  #post(command: CountedCommand, tries: number): void {
    const { sim } = { sim: this.#sim };
    sim
      .request(this.#rng, (replica) => replica.submit(command))
      .then(
        () => this.#settle(command, null),
        (error: unknown) => {
          const { code, retry } = codeOf(error);
          if (!retry || tries > 40) this.#settle(command, code);
          else this.#soon(this.#rng.between(500, 5_000), () => this.#post(command, tries + 1));
        },
      );
  }

  #poll(start: number): void {
    if (start !== this.#start || this.#isDown) return;
    const free = this.slots - this.#held.size;
    const again = (delayMs: number): void => this.#soon(delayMs, () => this.#poll(start));
    if (free <= 0) {
      again(2_000);
      return;
    }
    this.#sim
      .request(this.#rng, (replica: Replica) => {
        const { edge } = replica;
        return edge === undefined
          ? Promise.resolve([])
          : edge.claim(this.#id, this.#sim.project, free);
      })
      .then(
        (given) => {
          if (start !== this.#start) return;
          for (const it of given) this.#accept(it);
          again(given.length === 0 ? 1_000 : 100);
        },
        () => again(2_000),
      );
  }

  #beatOn(): void {
    const isSlow = this.kind === 'slow' && !this.#isHealed();
    this.#soon(10_000 * this.#rng.between(0.8, isSlow ? 2.5 : 1.2), () => this.#beatOn());
    if (this.#isDown) return;
    // News of decisions may be lost with the replica that had them: agents ask from time to time.
    for (const id of this.#held.keys()) this.#decided(id);
    const command = {
      ...this.#base(),
      type: 'worker.heartbeat' as const,
      worker: this.#id,
      beat: { attempts: [...this.#held.values()].map(({ id, epoch }) => ({ id, epoch })) },
    };
    if (this.kind !== 'http') {
      this.#link?.toServer({ kind: 'beat', command });
      return;
    }
    this.#sim
      .request(this.#rng, (replica) => replica.submit(command))
      .then(
        ({ cancel = [], stale = [] }) => {
          for (const id of cancel) this.#stop(id);
          for (const id of stale) this.#drop(id);
        },
        () => undefined,
      );
  }

  #tellSlots(): void {
    this.#link?.toServer({ kind: 'slots', free: Math.max(0, this.slots - this.#held.size) });
  }

  /** What the dishonest say: reports on attempts of the past, wrong epochs, attempts of others. */
  #mischief(): void {
    this.#soon(this.#rng.between(3_000, 40_000), () => {
      if (this.#isHealed()) return;
      this.#mischief();
      const isLiar = this.kind === 'liar';
      const others = isLiar && this.#rng.chance(0.5) ? this.#sim.db.world.all('attempts') : [];
      const target = isLiar && others.length > 0 ? this.#rng.pick(others) : undefined;
      const past = this.#past.length > 0 ? this.#rng.pick(this.#past.slice(-4)) : undefined;
      const id = target?.id ?? past?.id;
      if (id === undefined) return;
      const epoch = (target?.epoch ?? past?.epoch ?? 0) + (isLiar ? this.#rng.int(3) - 1 : 0);
      const lies = liesOf({ ...this.#base(), attempt: id, worker: this.#id }, epoch);
      this.#say(this.#rng.pick(lies));
    });
  }

  #stallOn(): void {
    this.#soon(this.#rng.between(20_000, 200_000), () => {
      if (this.#isHealed()) return;
      this.#pausedUntilMs = this.#sim.loop.nowMs + this.#rng.between(10_000, 250_000);
      this.#stallOn();
    });
  }

  #has(held: Held): boolean {
    // Agents outlive their daemon; what a dead machine had is not held any more.
    return this.#held.get(held.id) === held;
  }

  #about(held: Held): { project: string; actor: Actor; attempt: string; worker: string } {
    return { ...this.#base(), attempt: held.id, worker: this.#id };
  }

  #base(): { project: string; actor: Actor } {
    const actor: Actor = { kind: 'worker', id: this.#id, name: this.name };
    return { project: this.#sim.project, actor };
  }

  #soon(delayMs: number, call: () => void): void {
    this.#sim.loop.after(delayMs, () => this.#whenAwake(call));
  }

  #whenAwake(call: () => void): void {
    const { loop } = this.#sim;
    const isPaused = this.#pausedUntilMs > loop.nowMs && !this.#isHealed();
    if (isPaused) loop.after(this.#pausedUntilMs - loop.nowMs, () => this.#whenAwake(call));
    else call();
  }
}

function isReport(command: Command): boolean {
  return (
    command.type === 'attempt.complete' ||
    command.type === 'attempt.fail' ||
    command.type === 'attempt.release'
  );
}
