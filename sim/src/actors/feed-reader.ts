import type { Replica } from '../replica.ts';
import type { Rng } from '../rng.ts';
import type { Sim } from '../sim.ts';
import type { StoredEvent } from '../store/sim-database.ts';

/** Events of one answer at most. */
const sliceMax = 20;

/**
 * Follows the feed as a client does: asks for what is behind its place, from whichever replica is there,
 * and now and then begins again at an older place. What it is given is held against the feed.
 */
export class FeedReader {
  readonly #sim: Sim;
  readonly #rng: Rng;
  readonly #name: string;
  /** Everything up to here was seen. */
  pos = 0;

  constructor(sim: Sim, name: string) {
    this.#sim = sim;
    this.#name = name;
    this.#rng = sim.rng.fork(`reader ${name}`);
    this.#soon();
  }

  #soon(): void {
    this.#sim.loop.after(this.#rng.between(1_000, 20_000), () => {
      const asked = this.#comesBack() ? this.#rng.int(this.pos + 1) : this.pos;
      this.#sim
        .request(this.#rng, (replica: Replica) => replica.eventsAfter(asked, sliceMax))
        .then(
          (events) => this.#take(asked, events),
          () => undefined,
        )
        .finally(() => this.#soon());
    });
  }

  #comesBack(): boolean {
    if (!this.#rng.chance(0.1)) return false;
    this.#sim.sometimes.saw('a reader came back to an older place');
    return true;
  }

  /** Every event behind the place that was asked for, in order, none left out, none twice. */
  #take(asked: number, events: readonly StoredEvent[]): void {
    const { db, faults } = this.#sim;
    events.forEach(({ pos, event }, index) => {
      const wanted = asked + 1 + index;
      if (pos !== wanted) faults.report('feed-in-order', `${this.#name} got ${pos} for ${wanted}`);
      const stored = db.written[pos - 1]?.event;
      const isSame = stored?.type === event.type || event.type === 'event.purged';
      if (!isSame || stored?.atMs !== event.atMs)
        faults.report('feed-in-order', `${this.#name} got another event at ${pos}`);
    });
    this.pos = Math.max(this.pos, asked + events.length);
  }
}
