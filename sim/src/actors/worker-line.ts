import { capabilities, type Actor, type WorkerFrame } from '@baton/contract';
import type { Reply } from '@baton/kernel';
import {
  codeOf,
  requestOf,
  type CountedCommand,
  type DownFrame,
  type Given,
  type UpFrame,
  type WorkerLink,
} from '../edge.ts';
import { Link } from '../link.ts';
import type { WorkerKind } from '../profile.ts';
import type { Rng } from '../rng.ts';
import type { Sim } from '../sim.ts';

/** What every worker of a simulation can do. */
export const WORKER_CAN = capabilities.parse({
  engines: ['shell', 'claude', 'codex'].map((name) => ({ name, auth: 'ok' })),
  repos: [{ name: 'r' }],
  languages: ['rust'],
});

/** What a daemon has and does with what it hears. */
export interface LineEnd {
  readonly slots: number;
  /** How many of its attempts have a process. */
  readonly busy: () => number;
  /** Attempts that it has, as a hello names them. */
  readonly attempts: () => Extract<WorkerFrame, { type: 'hello' }>['attempts'];
  readonly take: (frame: Exclude<DownFrame, { kind: 'ack' | 'unknown' }>) => void;
  readonly accept: (given: Given) => void;
  /** A command was answered; `code` is null when it was accepted. */
  readonly settle: (command: CountedCommand, code: string | null, reply: Reply | null) => void;
  /** Nobody knows it under its id any more. */
  readonly unknown: () => void;
}

/**
 * A worker's line to the control plane: a link that it opens again when it breaks, over which it says
 * again what was not answered; or long polls over HTTP. The machine may stand still meanwhile.
 */
export class WorkerLine {
  readonly name: string;
  readonly kind: WorkerKind;
  readonly rng: Rng;
  id = '';
  isDown = false;
  readonly #sim: Sim;
  readonly #end: LineEnd;
  /** Grows with each start of the daemon. */
  #start = 0;
  #link: WorkerLink | undefined;
  #pausedUntilMs = 0;
  #seq = 0;
  readonly #unanswered = new Map<number, Extract<UpFrame, { kind: 'counted' }>>();

  constructor(sim: Sim, name: string, kind: WorkerKind, end: (rng: Rng) => LineEnd) {
    this.#sim = sim;
    this.name = name;
    this.kind = kind;
    this.rng = sim.rng.fork(`worker ${name}`);
    this.#end = end(this.rng);
  }

  get slots(): number {
    return this.#end.slots;
  }

  /** The daemon starts: says hello, or polls. */
  restart(): void {
    if (this.id === '') return;
    this.#start += 1;
    if (this.kind === 'http') this.#poll(this.#start);
    else this.#connect(this.#start);
  }

  #connect(start: number): void {
    if (start !== this.#start || this.isDown) return;
    const replica = this.#sim.anyReplica(this.rng);
    if (replica?.edge === undefined) {
      this.soon(this.rng.between(500, 5_000), () => this.#connect(start));
      return;
    }
    const { loop, profile } = this.#sim;
    const inbox: DownFrame[] = [];
    const link: WorkerLink = new Link(loop, this.rng, profile.messageMsMax, {
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
        this.soon(this.rng.between(500, 10_000), () => this.#connect(start));
      },
    });
    this.#link = link;
    replica.edge.connect(link, this.id, this.#sim.project);
    link.toServer({
      kind: 'hello',
      command: {
        ...this.base(),
        type: 'worker.hello',
        worker: this.id,
        hello: {
          type: 'hello',
          incarnation: `${this.name}-${this.#start}`,
          version: '1',
          slots: this.#end.slots,
          labels: {},
          capabilities: WORKER_CAN,
          draining: false,
          attempts: this.#end.attempts(),
        },
      },
    });
    for (const frame of this.#unanswered.values()) link.toServer(frame);
    this.tellSlots();
  }

  #take(frame: DownFrame): void {
    if (frame.kind === 'ack') this.#answered(frame);
    else if (frame.kind === 'unknown') this.#end.unknown();
    else this.#end.take(frame);
  }

  #answered({ seq, code, reply, retry }: Extract<DownFrame, { kind: 'ack' }>): void {
    const sent = this.#unanswered.get(seq);
    if (sent === undefined) return;
    if (retry) {
      this.soon(this.rng.between(500, 5_000), () => {
        if (this.#unanswered.has(seq)) this.#link?.toServer(sent);
      });
      return;
    }
    this.#unanswered.delete(seq);
    this.#end.settle(sent.command, code, reply);
  }

  /** Says a command until it is answered; `key` names a request. */
  say(command: CountedCommand, key: string | null = null): void {
    if (this.kind === 'http') {
      this.#post(command, key, 0);
      return;
    }
    const frame = { kind: 'counted', seq: ++this.#seq, command, key } as const;
    this.#unanswered.set(frame.seq, frame);
    this.#link?.toServer(frame);
  }

  /** Over HTTP: sent again until it is answered. */
  #post(command: CountedCommand, key: string | null, tries: number): void {
    this.#sim
      .request(this.rng, (replica) => replica.submit(command, requestOf(command, key)))
      .then(
        (reply) => this.#end.settle(command, null, reply),
        (error: unknown) => {
          const { code, retry } = codeOf(error);
          if (!retry || tries > 40) this.#end.settle(command, code, null);
          else this.soon(this.rng.between(500, 5_000), () => this.#post(command, key, tries + 1));
        },
      );
  }

  #poll(start: number): void {
    if (start !== this.#start || this.isDown) return;
    const free = this.#free();
    const again = (delayMs: number): void => this.soon(delayMs, () => this.#poll(start));
    if (free <= 0) {
      again(2_000);
      return;
    }
    this.#sim
      .request(this.rng, (replica) => {
        const { edge } = replica;
        return edge === undefined
          ? Promise.resolve([])
          : edge.claim(this.id, this.#sim.project, free);
      })
      .then(
        (given) => {
          if (start !== this.#start) return;
          for (const it of given) this.#end.accept(it);
          again(given.length === 0 ? 1_000 : 100);
        },
        (error: unknown) => {
          if (start !== this.#start) return;
          if (codeOf(error).code === 'not_found') this.#end.unknown();
          else again(2_000);
        },
      );
  }

  /** Sends what needs no answer; lost when there is no link. */
  send(frame: UpFrame): void {
    this.#link?.toServer(frame);
  }

  /** Tells how many more attempts it would take. */
  tellSlots(): void {
    this.#link?.toServer({ kind: 'slots', free: this.#free() });
  }

  #free(): number {
    return Math.max(0, this.#end.slots - this.#end.busy());
  }

  /** Has nothing more to say: what it was is not known any more. */
  leave(): void {
    this.id = '';
    this.#start += 1;
    this.#link?.hangUp();
    this.#link = undefined;
    this.#unanswered.clear();
  }

  /** The daemon is gone; what was not answered is forgotten with the machine. */
  hangUp(isMachine: boolean): void {
    this.isDown = true;
    this.#link?.hangUp();
    this.#link = undefined;
    if (isMachine) this.#unanswered.clear();
    this.#sim.loop.after(this.rng.between(2_000, 60_000), () => {
      this.isDown = false;
      this.restart();
    });
  }

  /** What it believes, for the report of a failure. */
  describe(): string {
    const link = this.#link === undefined ? 'no link' : 'linked';
    return `${this.name} ${this.kind} ${this.id}: ${link}, ${this.#unanswered.size} unanswered`;
  }

  base(): { project: string; actor: Actor } {
    const actor: Actor = { kind: 'worker', id: this.id, name: this.name };
    return { project: this.#sim.project, actor };
  }

  /** The machine stands still now and then. */
  stallOn(): void {
    this.soon(this.rng.between(20_000, 200_000), () => {
      if (this.#sim.isHealed) return;
      this.#pausedUntilMs = this.#sim.loop.nowMs + this.rng.between(10_000, 250_000);
      this.stallOn();
    });
  }

  /** Calls after a delay, when the machine does not stand still. */
  soon(delayMs: number, call: () => void): void {
    this.#sim.loop.after(delayMs, () => this.#whenAwake(call));
  }

  #whenAwake(call: () => void): void {
    const { loop } = this.#sim;
    const isPaused = this.#pausedUntilMs > loop.nowMs && !this.#sim.isHealed;
    if (isPaused) loop.after(this.#pausedUntilMs - loop.nowMs, () => this.#whenAwake(call));
    else call();
  }
}
