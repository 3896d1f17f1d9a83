import type { EventLoop } from './event-loop.ts';
import type { Rng } from './rng.ts';

/** Frames of one direction never arrive in one instant, or chance would change their order; milliseconds. */
export const apartMs = 0.001;

/** What one end of a link does. */
export interface LinkEnd<In> {
  take(frame: In): void;
  closed(): void;
}

/**
 * A connection between a worker and a replica: frames of one direction keep their order, and arrive or
 * not. Each end learns of the end of the connection in its own time, so one may go on talking to nobody.
 */
export class Link<ToServer, ToWorker> {
  readonly #loop: EventLoop;
  readonly #rng: Rng;
  readonly #messageMsMax: number;
  #server: LinkEnd<ToServer> | undefined;
  #worker: LinkEnd<ToWorker> | undefined;
  #upMs = 0;
  #downMs = 0;
  #isCut = false;

  constructor(loop: EventLoop, rng: Rng, messageMsMax: number, worker: LinkEnd<ToWorker>) {
    this.#loop = loop;
    this.#rng = rng;
    this.#messageMsMax = messageMsMax;
    this.#worker = worker;
  }

  serve(server: LinkEnd<ToServer>): void {
    this.#server = server;
  }

  toServer(frame: ToServer): void {
    if (this.#isCut || this.#worker === undefined) return;
    this.#upMs = Math.max(this.#upMs + apartMs, this.#loop.nowMs + this.#way());
    this.#loop.after(this.#upMs - this.#loop.nowMs, () => this.#server?.take(frame));
  }

  toWorker(frame: ToWorker): void {
    if (this.#isCut || this.#server === undefined) return;
    this.#downMs = Math.max(this.#downMs + apartMs, this.#loop.nowMs + this.#way());
    this.#loop.after(this.#downMs - this.#loop.nowMs, () => this.#worker?.take(frame));
  }

  /**
   * The connection breaks. What is under way may still arrive; each end hears of it when its own time
   * outs come, or when it is told.
   */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#loop.after(this.#rng.between(0, 15_000), () => this.closeServer());
    this.#loop.after(this.#rng.between(0, 15_000), () => this.closeWorker());
  }

  /** The worker hangs up. */
  hangUp(): void {
    this.#worker = undefined;
    this.cut();
  }

  /** The replica hangs up, or is gone. */
  drop(): void {
    this.#server = undefined;
    this.cut();
  }

  closeServer(): void {
    const server = this.#server;
    this.#server = undefined;
    server?.closed();
  }

  closeWorker(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.closed();
  }

  #way(): number {
    return this.#rng.between(0, this.#messageMsMax);
  }
}
