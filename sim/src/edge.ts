import { AppError, type Assignment, type CommandOf } from '@baton/contract';
import type { CommittedEvent, Coordinator, SubmitOptions } from '@baton/coordinator';
import type { Reply } from '@baton/kernel';
import { createEventHub, type EventHub } from '@baton/server';
import type { Link } from './link.ts';
import type { Replica } from './replica.ts';
import type { Sim } from './sim.ts';
import type { FeedReads } from './store/memory-store.ts';

/** The commands that a worker sends over its link, each answered by `ack`. */
export type CountedCommand =
  | CommandOf<'attempt.start'>
  | CommandOf<'attempt.progress'>
  | CommandOf<'attempt.output'>
  | CommandOf<'attempt.checkpoint'>
  | CommandOf<'attempt.note'>
  | CommandOf<'attempt.complete'>
  | CommandOf<'attempt.fail'>
  | CommandOf<'attempt.release'>
  | CommandOf<'await.open'>
  | CommandOf<'task.create'>
  | CommandOf<'run.delivered'>;

/** Worker to replica. */
export type UpFrame =
  | { readonly kind: 'hello'; readonly command: CommandOf<'worker.hello'> }
  | { readonly kind: 'beat'; readonly command: CommandOf<'worker.heartbeat'> }
  | { readonly kind: 'slots'; readonly free: number }
  | {
      readonly kind: 'counted';
      readonly seq: number;
      readonly command: CountedCommand;
      /** Names the request, where one that is repeated must make nothing new. */
      readonly key: string | null;
    };

/** Work as a worker is given it. */
export type Given = Omit<Assignment, 'token'>;

/** Replica to worker. */
export type DownFrame =
  | { readonly kind: 'welcome'; readonly stop: readonly string[] }
  /** The worker that says hello was taken out of the fleet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'assign'; readonly assignment: Given }
  | { readonly kind: 'cancel'; readonly attempts: readonly string[] }
  | { readonly kind: 'hold'; readonly attempts: readonly string[] }
  | { readonly kind: 'stale'; readonly attempts: readonly string[] }
  | { readonly kind: 'decided'; readonly attempt: string }
  | { readonly kind: 'deliver'; readonly run: string }
  | {
      readonly kind: 'ack';
      readonly seq: number;
      readonly reply: Reply | null;
      readonly code: string | null;
      readonly retry: boolean;
    };

export type WorkerLink = Link<UpFrame, DownFrame>;

/** The door of a replica, as the server has it: links of workers, long polls, pushes. */
export class Edge {
  readonly #sim: Sim;
  readonly #replica: Replica;
  readonly #coordinator: Coordinator;
  /** Links that said hello, by worker. */
  readonly #links = new Map<string, WorkerLink>();
  readonly #open = new Set<WorkerLink>();
  /** What followers of the feed are served from. */
  readonly hub: EventHub;

  constructor(sim: Sim, replica: Replica, coordinator: Coordinator, reads: FeedReads) {
    this.#sim = sim;
    const hub = createEventHub(coordinator, reads, replica.later);
    this.hub = sim.mutant?.hub?.(hub) ?? hub;
    this.#replica = replica;
    this.#coordinator = coordinator;
    coordinator.onAssigned(({ worker, attempts }) => {
      if (!this.#isHeard()) return;
      const link = this.#links.get(worker);
      if (link !== undefined) void this.#assign(link, attempts);
    });
    coordinator.onCommitted((events) => {
      this.#sim.history.told(replica.name, events);
      if (this.#isHeard()) for (const event of events) this.#push(event);
    });
  }

  /** A worker opens a link. */
  connect(link: WorkerLink, worker: string, project: string): void {
    this.#open.add(link);
    let greeting: Promise<void> | undefined;
    let incarnation: string | undefined;
    const turns = new Map<string, Promise<void>>();
    const inTurn = (key: string, task: () => Promise<void>): void => {
      const before = turns.get(key) ?? Promise.resolve();
      turns.set(
        key,
        Promise.all([greeting, before])
          .then(task)
          .catch(() => link.cut()),
      );
    };
    // What comes while the process stands still is read in order when it goes on.
    const inbox: UpFrame[] = [];
    link.serve({
      take: (arrived) => {
        inbox.push(arrived);
        this.#replica.whenAwake(() => {
          const frame = inbox.shift();
          if (frame === undefined) return;
          if (frame.kind === 'hello') {
            // One for each link: the end of an older link of the same daemon must not end this one.
            incarnation = `${frame.command.hello.incarnation} ${this.#sim.newId('link')}`;
            const hello = { ...frame.command.hello, incarnation };
            greeting = this.#hello(link, { ...frame.command, hello });
            greeting.catch((error: unknown) => {
              if (codeOf(error).code === 'not_found') link.toWorker({ kind: 'unknown' });
              link.cut();
            });
            return;
          }
          if (greeting === undefined) return;
          if (frame.kind === 'slots') {
            inTurn('link', () => {
              if (this.#open.has(link)) this.#coordinator.parkWorker(worker, project, frame.free);
              return Promise.resolve();
            });
          } else if (frame.kind === 'beat') {
            inTurn('beat', () => this.#beat(link, { ...frame.command, incarnation }));
          } else {
            inTurn(turnOf(frame.command), () => this.#counted(link, frame, worker));
          }
        });
      },
      closed: () => {
        this.#replica.whenAwake(() => this.#closed(link, worker, project, incarnation));
      },
    });
  }

  /** An HTTP claim: what is claimed and not started, else what is ready now or soon. */
  async claim(worker: string, project: string, max: number): Promise<Given[]> {
    // Its key is that of nobody any more.
    if (this.#sim.db.world.row('workers', worker) === null)
      throw new AppError('not_found', `no worker ${worker}`);
    const handed: string[] = [];
    let wake = (): void => undefined;
    const unsubscribe = this.#coordinator.onAssigned((assigned) => {
      if (assigned.worker !== worker) return;
      handed.push(...assigned.attempts);
      wake();
    });
    try {
      const reply = await this.#replica.submit({
        type: 'work.dispatch',
        project,
        actor: { kind: 'worker', id: worker, name: worker },
        workers: [{ worker, max, polling: true }],
      });
      const now = (reply.claimed ?? []).map((it) => it.attempt);
      if (now.length > 0) return await this.#given(now);
      if (handed.length === 0) {
        this.#coordinator.parkWorker(worker, project, max, true);
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#sim.loop.after(20_000, resolve);
        });
        this.#coordinator.unparkWorker(worker);
      }
      return await this.#given([...new Set(handed)]);
    } finally {
      unsubscribe();
    }
  }

  /** The process is gone: connections break without a word. */
  hangUpAll(): void {
    for (const link of this.#open) link.drop();
    this.#open.clear();
    this.#links.clear();
  }

  cutAll(): void {
    for (const link of this.#open) link.cut();
  }

  #isHeard(): boolean {
    const { profile } = this.#sim;
    return !(profile.hintLost > 0 && this.#sim.noise.chance(profile.hintLost));
  }

  async #hello(link: WorkerLink, command: CommandOf<'worker.hello'>): Promise<void> {
    const { worker } = command;
    const reply = await this.#replica.submit(command, { connection: worker });
    if (!this.#open.has(link)) return;
    const before = this.#links.get(worker);
    this.#links.set(worker, link);
    if (before !== undefined && before !== link) before.cut();
    link.toWorker({ kind: 'welcome', stop: reply.stale ?? [] });
    tellStops(link, reply.cancel);
    const again = (reply.claimed ?? []).map((it) => it.attempt);
    if (again.length > 0) this.#sim.sometimes.saw('an assignment was delivered again');
    await this.#assign(link, again);
    for (const { id } of command.hello.attempts) link.toWorker({ kind: 'decided', attempt: id });
    for (const run of this.#sim.db.world.list('deliveriesOfWorker', worker)) {
      link.toWorker({ kind: 'deliver', run: run.id });
    }
  }

  async #beat(link: WorkerLink, command: CommandOf<'worker.heartbeat'>): Promise<void> {
    const { cancel = [], stale = [] } = await this.#replica.submit(command);
    tellStops(link, cancel);
    if (stale.length > 0) link.toWorker({ kind: 'stale', attempts: stale });
  }

  async #counted(
    link: WorkerLink,
    { seq, command, key }: Extract<UpFrame, { kind: 'counted' }>,
    worker: string,
  ): Promise<void> {
    try {
      const reply = await this.#replica.submit(command, {
        connection: worker,
        ...requestOf(command, key),
      });
      link.toWorker({ kind: 'ack', seq, reply, code: null, retry: false });
    } catch (error) {
      const { code, retry } = codeOf(error);
      link.toWorker({ kind: 'ack', seq, reply: null, code, retry });
    }
  }

  #closed(link: WorkerLink, worker: string, project: string, incarnation?: string): void {
    this.#open.delete(link);
    if (this.#links.get(worker) !== link) return;
    this.#links.delete(worker);
    this.#coordinator.unparkWorker(worker);
    if (incarnation === undefined) return;
    this.#replica
      .submit(
        {
          type: 'worker.gone',
          project,
          actor: { kind: 'worker', id: worker, name: worker },
          worker,
          incarnation,
        },
        { connection: worker },
      )
      .catch(() => undefined);
  }

  async #assign(link: WorkerLink, attempts: readonly string[]): Promise<void> {
    try {
      for (const assignment of await this.#given(attempts))
        link.toWorker({ kind: 'assign', assignment });
    } catch {
      link.cut();
    }
  }

  async #given(attempts: readonly string[]): Promise<Given[]> {
    const all = await Promise.all(attempts.map((it) => this.#coordinator.assignmentOf(it)));
    return all.filter((it) => it !== undefined);
  }

  #push({ type, data, attemptId, runId }: CommittedEvent): void {
    const named = data['worker'];
    const link = typeof named === 'string' ? this.#links.get(named) : undefined;
    if (link === undefined) return;
    if (type === 'attempt.stopping' && attemptId !== null)
      link.toWorker({ kind: 'cancel', attempts: [attemptId] });
    if ((type === 'checkpoint.resolved' || type === 'checkpoint.timed_out') && attemptId !== null)
      link.toWorker({ kind: 'decided', attempt: attemptId });
    if (type === 'run.delivering' && runId !== null) link.toWorker({ kind: 'deliver', run: runId });
  }
}

/** What the worker must end, and what it keeps without a process. */
function tellStops(link: WorkerLink, orders: Reply['cancel'] = []): void {
  const ended = orders.filter((it) => it.how !== 'hold').map((it) => it.attempt);
  const held = orders.filter((it) => it.how === 'hold').map((it) => it.attempt);
  if (ended.length > 0) link.toWorker({ kind: 'cancel', attempts: ended });
  if (held.length > 0) link.toWorker({ kind: 'hold', attempts: held });
}

/** What an agent hands on is made once, however often its worker says it. */
export function requestOf(command: CountedCommand, key: string | null): SubmitOptions {
  if (command.type !== 'task.create' || key === null) return {};
  const scope = `spawn ${command.spawner?.attempt ?? ''}`;
  return { idempotency: { scope, key, requestSha256: 'same' } };
}

/** What is said of one attempt, or of one run, is taken in order. */
function turnOf(command: CountedCommand): string {
  if (command.type === 'task.create') return command.spawner?.attempt ?? 'tasks';
  return 'attempt' in command ? command.attempt : command.run;
}

/** What the caller is told of a failure. */
export function codeOf(error: unknown): { readonly code: string; readonly retry: boolean } {
  if (!(error instanceof AppError)) return { code: 'store_unavailable', retry: true };
  return {
    code: error.code,
    retry: ['store_unavailable', 'no_coordinator', 'draining', 'internal'].includes(error.code),
  };
}
