import { isTerminalRun, isTerminalTask, type Event } from '@baton/contract';
import { eventStream, feedStart } from '@baton/server';
import { Ends } from '../checks/ends.ts';
import type { Replica } from '../replica.ts';
import type { Rng } from '../rng.ts';
import type { Sim } from '../sim.ts';

/**
 * A program that follows the feed over server-sent events, through the hub that the server has: it keeps
 * the cursor of what it took, and goes on behind it on whichever replica it reaches. It folds what it is
 * told over the state that it read at first, and so must know at any time what the database knows.
 */
export class Follower {
  readonly #sim: Sim;
  readonly #rng: Rng;
  readonly #name: string;
  /** Of the last event that was taken; kept through its own crashes. */
  #cursor: string | undefined;
  #pos = 0;
  #ends = new Ends();

  constructor(sim: Sim, name: string) {
    this.#sim = sim;
    this.#name = name;
    this.#rng = sim.rng.fork(`follower ${name}`);
    void this.#live();
  }

  async #live(): Promise<void> {
    for (;;) {
      await this.#sim.loop.sleep(this.#rng.between(500, 8_000));
      const replica = this.#sim.anyReplica(this.#rng);
      if (replica === undefined) continue;
      const broken = new AbortController();
      const isOver = new Promise<'broken'>((resolve) => {
        this.#sim.loop.after(this.#rng.between(1_000, 150_000), () => {
          broken.abort();
          resolve('broken');
        });
      });
      await Promise.race([isOver, this.#follow(replica, broken.signal).catch(() => undefined)]);
      broken.abort();
    }
  }

  /** One connection, until it breaks. */
  async #follow(replica: Replica, signal: AbortSignal): Promise<void> {
    const { edge, coordinator } = replica;
    if (edge === undefined || coordinator === undefined) return;
    if (this.#rng.chance(0.1)) await this.#readAnew(replica, signal);
    const { hub } = edge;
    const incarnation = hub.incarnation();
    const [head, floor] = await Promise.all([hub.head(), hub.floor()]);
    if (signal.aborted) return;
    const cursor = this.#cursor;
    const begin = this.#sim.mutant?.feedStart ?? feedStart;
    const start = begin(cursor, incarnation, head, floor);
    const isForeign = cursor !== undefined && !cursor.startsWith(`${incarnation}.`);
    if (isForeign && start.kind === 'pos')
      this.#say('foreign-cursor', `took ${cursor} for one of history ${incarnation}`);
    if (start.kind === 'lost' && start.proof !== undefined)
      coordinator.suspectLoss(start.proof).catch(() => undefined);
    const pieces = eventStream(hub, { project: this.#sim.project }, start, signal);
    for (;;) {
      const { value, done } = await pieces.next();
      if (done === true || signal.aborted) return;
      if (this.#rng.chance(this.#sim.profile.messageLost)) return;
      for (const message of messagesOf(value)) await this.#take(replica, message, signal);
      this.#compare();
      await this.#sim.loop.sleep(this.#rng.between(0, 200));
      if (signal.aborted) return;
    }
  }

  async #take(replica: Replica, message: Message, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (message.event === 'reset') {
      this.#sim.sometimes.saw('a reader was told to read anew');
      await this.#readAnew(replica, signal);
      // What was read may be newer than the place to go on from: then some is told that is known.
      if (!signal.aborted) this.#keep(message.id ?? '');
      return;
    }
    if (message.event !== undefined) return;
    const event = message.data as Event;
    const { db } = this.#sim;
    const stored = db.written[event.pos - 1]?.event;
    if (event.pos <= this.#pos) this.#say('reader-in-order', `got ${event.pos} after ${this.#pos}`);
    if (stored?.type !== event.type)
      this.#say('reader-in-order', `got ${event.type} at ${event.pos}`);
    this.#allBlank(this.#pos + 1, event.pos);
    if (message.id !== event.cursor)
      this.#say('reader-in-order', `is to keep ${message.id ?? ''} for ${event.cursor}`);
    this.#ends.tell(event);
    this.#keep(event.cursor);
  }

  #keep(cursor: string): void {
    this.#cursor = cursor;
    this.#pos = Number(cursor.split('.')[1]);
  }

  /** Nothing of these positions is kept from a reader, unless it was purged. */
  #allBlank(from: number, to: number): void {
    for (const { pos, event } of this.#sim.db.feed.slice(from - 1, to - 1)) {
      if (event.type !== 'event.purged') this.#say('reader-in-order', `was not told ${pos}`);
    }
  }

  /** The state as it is, with the cursor that stands for it. */
  async #readAnew(replica: Replica, signal: AbortSignal): Promise<void> {
    const { cursor, ends } = await replica.snapshot();
    if (signal.aborted) return;
    this.#sim.sometimes.saw('a reader began with a snapshot');
    this.#ends = new Ends(ends);
    this.#keep(cursor);
  }

  /** Who has read to the end knows what the database knows. */
  #compare(): void {
    const { db } = this.#sim;
    if (this.#pos !== db.feed.length) return;
    // What is being purged is not told any more, and goes piece by piece.
    const isPurged = (id: string): boolean =>
      (db.world.row('runs', id)?.purgeAtMs ?? null) !== null;
    for (const run of db.world.all('runs')) {
      if (isPurged(run.id)) continue;
      const stored = isTerminalRun(run.status) ? run.status : undefined;
      this.#same(`run ${run.id}`, stored);
    }
    for (const task of db.world.all('tasks')) {
      if (task.purgeAtMs !== null || isPurged(task.runId)) continue;
      const stored = isTerminalTask(task.status) ? task.status : undefined;
      this.#same(`task ${task.id}`, stored);
    }
  }

  #same(name: string, stored: string | undefined): void {
    const known = this.#ends.of(name);
    if (known !== stored)
      this.#say(
        'snapshot-and-tail',
        `knows ${name} as ${known ?? 'open'}, not ${stored ?? 'open'}`,
      );
  }

  /** At the end of everything it has been told everything. */
  finish(): void {
    this.#allBlank(this.#pos + 1, this.#sim.db.feed.length + 1);
  }

  #say(check: FollowerCheck, text: string): void {
    this.#sim.faults.report(check, `${this.#name} ${text}`);
  }
}

type FollowerCheck = 'reader-in-order' | 'snapshot-and-tail' | 'foreign-cursor';

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: unknown;
}

/** The messages of a piece of an event stream; comments are left out. */
function messagesOf(piece: string): Message[] {
  return piece
    .split('\n\n')
    .filter((text) => text.includes('data: '))
    .map((text) => {
      const field = (name: string): string | undefined =>
        text
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      return { id: field('id'), event: field('event'), data: JSON.parse(field('data') ?? '') };
    });
}
