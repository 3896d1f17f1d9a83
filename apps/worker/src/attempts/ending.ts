import type { Log } from '../log.ts';
import { createGate } from './aborted.ts';
import type { AttemptFiles, StopFile } from './files.ts';
import type { LiveTurn } from './turn.ts';

/** A supervisor that has not ended its agent so long after the grace is ended itself. */
const patienceMs = 10_000;
/** TERM to KILL for an agent that was stopped under a daemon before this one. */
const lateGraceMs = 2_000;
/** What an agent that was told to end its turn has for that. */
const turnMs = 10_000;
/** TERM to KILL of an agent that did not end its turn. */
const yieldGraceMs = 5_000;

/** The attempt that is to be ended, as far as its ending needs it. */
export interface Endable {
  readonly id: string;
  readonly files: AttemptFiles;
  readonly log: Log;
  /** Its report is made. */
  readonly isEnded: () => boolean;
  /** Its agent, once it is at work. */
  readonly live: () => LiveTurn | undefined;
  /** Ends what is at work before the agent. */
  readonly interrupt: () => void;
}

/**
 * The ways in which an attempt is ended from outside or yields: which of them stands (the first one, but
 * for a fenced attempt), and the ending of its agent's process. What was decided is on disk first.
 */
export class Ending {
  readonly #it: Endable;
  /** Opens when a held attempt need not wait any more: somebody stops it, or another one goes on. */
  readonly #heldOver = createGate();
  #turnTimer: NodeJS.Timeout | undefined;

  constructor(it: Endable) {
    this.#it = it;
  }

  get heldOver(): Promise<void> {
    // One that was stopped under a daemon before this one is over at once.
    if (this.#it.files.stop() !== undefined) this.#heldOver.open();
    return this.#heldOver.opened;
  }

  cancel(reason: string, graceMs: number): void {
    // That one ends already, and as what its task needs.
    if (this.#it.files.stop()?.kind !== 'yield') this.#stop({ kind: 'cancel', reason }, graceMs);
  }

  release(reason: string, graceMs: number): void {
    if (this.#it.files.stop()?.kind !== 'yield') this.#stop({ kind: 'release', reason }, graceMs);
  }

  yield(reason: string, graceMs: number): void {
    const { files, interrupt } = this.#it;
    if (files.stop() !== undefined) return;
    files.saveStop({ kind: 'yield', reason });
    this.#heldOver.open();
    interrupt();
    this.#endTurn(reason, Math.max(0, graceMs - yieldGraceMs));
  }

  hold(reason: string): void {
    const { files, isEnded } = this.#it;
    const isKnown = files.held() !== undefined || files.stop() !== undefined;
    if (!isKnown && !isEnded()) this.yielded('held', reason);
  }

  /** What the agent asked for ends its process: it was told so in the answer. */
  yielded(how: 'held' | 'ended', reason = 'waits for an answer'): void {
    const { files } = this.#it;
    if (how === 'held') files.saveHeld(reason);
    else files.saveStop({ kind: 'yield', reason });
    this.#endTurn(reason, turnMs);
  }

  /** The next attempt of the task goes on where this one is held. */
  supersede(): void {
    this.#heldOver.open();
  }

  /** The agent is at work: what was asked for under a daemon before this one is done now. */
  applyEarlier(): void {
    const { files } = this.#it;
    const stop = files.stop();
    if (stop !== undefined) this.#endLive(stop.reason, lateGraceMs);
    else if (files.held() !== undefined) this.#endTurn('waits for an answer', turnMs);
  }

  /** Nothing more is ended. */
  close(): void {
    clearTimeout(this.#turnTimer);
  }

  #stop(stop: StopFile, graceMs: number): void {
    const { files, isEnded, interrupt } = this.#it;
    if (isEnded()) return;
    files.saveStop(stop);
    this.#heldOver.open();
    interrupt();
    this.#endLive(stop.reason, graceMs);
  }

  /** Lets the agent end its turn by itself for a while, then ends it. */
  #endTurn(reason: string, patienceForTurnMs: number): void {
    clearTimeout(this.#turnTimer);
    this.#turnTimer = setTimeout(() => this.#endLive(reason, yieldGraceMs), patienceForTurnMs);
  }

  #endLive(reason: string, graceMs: number): void {
    const { live, log, id } = this.#it;
    live()
      ?.stop(reason, graceMs, patienceMs)
      .catch((error: unknown) => {
        log.error({ error, attempt: id }, 'an agent could not be ended');
      });
  }
}
