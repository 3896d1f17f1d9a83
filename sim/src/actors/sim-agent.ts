import type { Actor, TaskResult } from '@baton/contract';
import type { Given } from '../edge.ts';
import type { Sim } from '../sim.ts';
import type { WorkerLine } from './worker-line.ts';
import { childOf, failureOf, questionOf, resultOf } from './worker-words.ts';

/** An attempt that a worker has on its machine. */
export interface Held {
  readonly given: Given;
  readonly id: string;
  readonly epoch: number;
  /** Its report was sent; it is named in hellos as ended until that is acknowledged. */
  isReported: boolean;
  /** Its process has ended; it is kept until its question is decided. */
  isParked: boolean;
  /** Goes on when its question is decided. */
  onDecided: (() => void) | undefined;
  /** Goes on when it need not wait for the tasks that it asked to wait for. */
  onMet: (() => void) | undefined;
}

/** What the agents of a worker say of the attempts they work on, over the line of their worker. */
export class SimAgent {
  readonly #sim: Sim;
  readonly #line: WorkerLine;

  constructor(sim: Sim, line: WorkerLine) {
    this.#sim = sim;
    this.#line = line;
  }

  /** Its process runs. */
  start(held: Held): void {
    this.#line.say({
      ...this.about(held),
      type: 'attempt.start',
      body: { epoch: held.epoch, pid: 1, bases: { 'r@main': `base${this.#line.rng.int(2)}` } },
    });
  }

  /** It makes a task below its own. */
  handOn(held: Held, left: number): void {
    const { id, epoch } = held;
    const actor = { kind: 'worker', id: this.#line.id, name: this.#line.name } as const;
    this.#line.say(
      {
        project: this.#sim.project,
        actor,
        type: 'task.create',
        body: childOf(this.#line.rng, left),
        spawner: { attempt: id, worker: this.#line.id, epoch },
      },
      `c${left}`,
    );
  }

  /** It hands in something early. */
  output(held: Held): void {
    const declared = held.given.task.spec.outputs;
    if (declared.length === 0) return;
    const { key } = this.#line.rng.pick(declared);
    const data = this.#line.rng.chance(0.1) ? 7 : `made by ${held.epoch}`;
    this.#line.say({
      ...this.about(held),
      type: 'attempt.output',
      body: { epoch: held.epoch, key, data },
    });
  }

  /** It asks somebody. */
  ask(held: Held, left: number): void {
    const body = { epoch: held.epoch, client_id: `c${left}`, ...questionOf(this.#line.rng) };
    this.#line.say({ ...this.about(held), type: 'attempt.checkpoint', body });
  }

  /** Its work is over, one way or another: it reports once, or twice. */
  finish(held: Held): void {
    if (held.isReported) return;
    const { epoch } = held;
    const about = this.about(held);
    const isSound = this.#sim.isHealed || this.#line.kind === 'quick';
    const roll = this.#line.rng.int(isSound ? 70 : 100);
    const keys = held.given.task.spec.outputs
      .filter(() => this.#sim.isHealed || !this.#line.rng.chance(0.05))
      .map((it) => it.key);
    const result = resultOf(roll, epoch, keys);
    held.isReported = true;
    if (roll < 82) {
      this.#line.say({ ...about, type: 'attempt.complete', body: { epoch, result } });
      if (this.#line.rng.chance(0.1))
        this.#line.soon(this.#line.rng.between(0, 3_000), () =>
          this.#line.say({ ...about, type: 'attempt.complete', body: { epoch, result } }),
        );
      return;
    }
    if (roll < 95) {
      const body = failureOf(this.#line.rng, epoch, this.#sim.db.nowMs());
      this.#line.say({ ...about, type: 'attempt.fail', body });
      return;
    }
    this.#line.say({ ...about, type: 'attempt.release', body: { epoch } });
  }

  /** It was stopped: it reports that, or that it was done already. */
  stopped(held: Held): void {
    const { epoch } = held;
    const about = this.about(held);
    if (this.#line.rng.chance(0.3)) {
      const result: TaskResult = { status: 'success', summary: 'too late' };
      this.#line.say({ ...about, type: 'attempt.complete', body: { epoch, result } });
    } else {
      const body = { epoch, reason: 'stopped', failure_class: 'cancelled' as const };
      this.#line.say({ ...about, type: 'attempt.fail', body });
    }
  }

  /** How its commands begin. */
  about(held: Held): { project: string; actor: Actor; attempt: string; worker: string } {
    return { ...this.#line.base(), attempt: held.id, worker: this.#line.id };
  }
}
