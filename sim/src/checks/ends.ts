/** What the feed alone says of the ends of tasks and runs: fold its events, in order. */
export class Ends {
  readonly #ends = new Map<string, string>();

  constructor(known: Iterable<readonly [string, string]> = []) {
    this.#ends = new Map(known);
  }

  /** How something ended by now: `task <id>` or `run <id>`; undefined while it is open. */
  of(name: string): string | undefined {
    return this.#ends.get(name);
  }

  tell(event: {
    readonly type: string;
    readonly run: string | null;
    readonly task: string | null;
  }): void {
    const [noun, verb] = event.type.split('.') as [string, string];
    if (noun === 'task' && event.task !== null) {
      if (TASK_ENDS.has(verb)) this.#ends.set(`task ${event.task}`, verb);
      if (verb === 'relaunched') this.#ends.delete(`task ${event.task}`);
    }
    if (noun === 'run' && event.run !== null) {
      if (RUN_ENDS.has(verb)) this.#ends.set(`run ${event.run}`, verb);
      if (verb === 'reopened') this.#ends.delete(`run ${event.run}`);
    }
  }
}

const TASK_ENDS = new Set(['completed', 'failed', 'cancelled', 'skipped', 'superseded']);
const RUN_ENDS = new Set(['completed', 'failed', 'cancelled']);
