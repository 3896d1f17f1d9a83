import {
  planTask,
  runCreate,
  taskCreate,
  type Actor,
  type Command,
  type CommandOf,
  type CommandType,
  type PlanInput,
  type Refusal,
  type RunCreateInput,
  type TaskCreateInput,
  type TaskSpecInput,
} from '@baton/contract';
import { decide } from '../decide.ts';
import type { Decision, Reply } from '../decision.ts';
import { plan } from '../load-plan.ts';
import { SEQ_PER_MS, type Turns } from '../matching/queue-order.ts';
import type { AttemptRow, NewEvent, RunRow, TaskRow } from '../rows.ts';
import type { Context, Need, RunSize } from '../world.ts';
import { LoadedWorld, MemoryWorld } from './memory-world.ts';

export const PROJECT = 'prj_test';
export const USER: Actor = { kind: 'user', id: 'usr_1', name: 'ada' };
const ENGINES = ['shell', 'claude', 'codex'];

/** A command without what every command has. */
export type Said<T extends CommandType> = Omit<CommandOf<T>, 'type' | 'project' | 'actor'>;

/** The kernel over a database in memory, with a clock that the test moves. */
export class Model {
  readonly world = new MemoryWorld();
  readonly events: NewEvent[] = [];
  nowMs = Math.round(1_760_000_000_000);
  incarnation = 1;
  engines: readonly string[] = ENGINES;
  /** How large runs may be, where a test says so. */
  runSize: RunSize | undefined = undefined;
  /** How far turns are, as the coordinator learns it from replies. */
  turns: Turns = { pass: 0, risenPass: 0 };
  /** Rounds of loading and things loaded by the last command; and whether `plan` went first. */
  lastRounds = 0;
  lastLoads = 0;
  usesPlan = false;
  /** Sees each accepted decision before it is stored. */
  watch: (decision: Extract<Decision, { kind: 'accepted' }>, command: Command) => void = () => {};
  #ids = 0;
  #seq = 0;
  #random = 0;

  /** Decides and stores a command. Throws when it is refused. */
  submit<T extends CommandType>(type: T, said: Said<T>, actor: Actor = USER): Reply {
    const decision = this.decide(type, said, actor);
    if (decision.kind === 'refused') {
      throw new Error(`${type} was refused: ${decision.refusal.code}: ${decision.refusal.message}`);
    }
    return decision.reply;
  }

  /** Decides a command that is expected to be refused. Throws when it is not. */
  refusal<T extends CommandType>(type: T, said: Said<T>, actor: Actor = USER): Refusal {
    const decision = this.decide(type, said, actor);
    if (decision.kind !== 'refused') throw new Error(`${type} was not refused`);
    return decision.refusal;
  }

  /** Decides a command, stores what it changes if it is accepted. */
  decide<T extends CommandType>(
    type: T,
    said: Said<T>,
    actor: Actor = USER,
  ): Exclude<Decision, { kind: 'needs' }> {
    const command = { type, project: PROJECT, actor, ...said } as unknown as Command;
    const begin = [this.#ids, this.#seq, this.#random] as const;
    const decision = this.#decideWhole(command);
    [this.#ids, this.#seq, this.#random] = begin;
    if (JSON.stringify(this.#decideWhole(command)) !== JSON.stringify(decision)) {
      throw new Error(`${type} was decided differently the second time`);
    }
    if (decision.kind === 'accepted') {
      this.watch(decision, command);
      this.world.apply(decision.changes);
      this.turns = decision.reply.turns ?? this.turns;
      this.events.push(...decision.events);
    }
    return decision;
  }

  /** Makes a run. Answers its id. */
  run(body: RunCreateInput): string {
    return this.submit('run.create', { body: runCreate.parse(body) }).run ?? '';
  }

  /** Makes a run of tasks and edges written short. Answers its id. */
  graph(
    tasks: Readonly<Record<string, TaskSpecInput>>,
    edges: readonly string[] = [],
    more: RunCreateInput = {},
  ): string {
    return this.run({ ...more, plan: graphOf(tasks, edges) });
  }

  task(body: TaskCreateInput): string {
    return this.submit('task.create', { body: taskCreate.parse(body) }).task ?? '';
  }

  /** Registers a worker and opens its link. Answers its id. */
  worker(
    name: string,
    more: {
      slots?: number;
      engines?: string[];
      repos?: string[];
      languages?: string[];
      labels?: Record<string, string>;
      tools?: string[];
      account?: string;
    } = {},
  ): string {
    const id = this.#registered(name);
    const capabilities = {
      engines: (more.engines ?? ENGINES).map((it) => ({
        name: it,
        auth: 'unknown' as const,
        ...(more.account === undefined ? {} : { account: more.account }),
      })),
      repos: (more.repos ?? []).map((it) => ({ name: it })),
      languages: more.languages ?? [],
      tools: more.tools ?? [],
      environments: [],
    };
    this.submit('worker.hello', {
      worker: id,
      hello: {
        type: 'hello',
        incarnation: `${name}-1`,
        version: '1.0.0',
        slots: more.slots ?? 1,
        labels: more.labels ?? {},
        capabilities,
        draining: false,
        attempts: [],
      },
    });
    return id;
  }

  /** Hands out what can be handed out. Answers the attempts. */
  dispatch(...workers: string[]): AttemptRow[] {
    const ids = workers.length > 0 ? workers : this.world.all('workers').map((it) => it.id);
    this.beat(ids);
    const { claimed } = this.submit('work.dispatch', {
      workers: ids.map((worker) => ({ worker, max: 1_000 })),
    });
    return (claimed ?? []).map((it) => this.attempt(it.attempt));
  }

  /** Workers that have a link are heard of. */
  beat(workers: readonly string[]): void {
    for (const id of workers) {
      const row = this.world.row('workers', id);
      if (row === null || row.incarnation === null) continue;
      const seen = { ...row, lastSeenAtMs: this.nowMs };
      this.world.apply([{ table: 'workers', id, row: seen }]);
    }
  }

  /** What a command would do, undone. */
  peek<T extends CommandType>(type: T, said: Said<T>): Exclude<Decision, { kind: 'needs' }> {
    return this.#decideWhole({
      type,
      project: PROJECT,
      actor: USER,
      ...said,
    } as unknown as Command);
  }

  start(attempt: AttemptRow): void {
    this.submit('attempt.start', { ...this.by(attempt), body: { epoch: attempt.epoch } });
  }

  /** Starts an attempt and completes it. */
  complete(attempt: AttemptRow, contracts: Record<string, string> = {}): void {
    this.start(attempt);
    this.submit('attempt.complete', {
      ...this.by(attempt),
      body: { epoch: attempt.epoch, result: { status: 'success', summary: 'done', contracts } },
    });
  }

  fail(
    attempt: AttemptRow,
    failureClass: CommandOf<'attempt.fail'>['body']['failure_class'] = 'agent_error',
  ): void {
    this.submit('attempt.fail', {
      ...this.by(attempt),
      body: { epoch: attempt.epoch, reason: 'it broke', failure_class: failureClass },
    });
  }

  by(attempt: AttemptRow): { attempt: string; worker: string } {
    return { attempt: attempt.id, worker: attempt.workerId };
  }

  attempt(id: string): AttemptRow {
    return known(this.world.row('attempts', id), id);
  }

  runRow(id: string): RunRow {
    return known(this.world.row('runs', id), id);
  }

  /** The task with a key, of a run. */
  byKey(run: string, key: string): TaskRow {
    return known(this.world.list('tasksOfRun', run).find((it) => it.key === key) ?? null, key);
  }

  /** `key: status (reason)` of each task of a run, in plan order. */
  statuses(run: string): Record<string, string> {
    const tasks = [...this.world.list('tasksOfRun', run)].sort((a, b) => a.position - b.position);
    return Object.fromEntries(
      tasks.map((it) => [it.key, it.reason === null ? it.status : `${it.status} (${it.reason})`]),
    );
  }

  /** Types of the events since a mark, with the key of the task they are about. */
  told(since = 0): string[] {
    return this.events.slice(since).map((it) => {
      const key = it.taskId === null ? undefined : this.world.row('tasks', it.taskId)?.key;
      return key === undefined ? it.type : `${it.type} ${key}`;
    });
  }

  /** Moves the clock and fires every timer that is due by then. */
  advance(seconds: number): void {
    this.nowMs += seconds * 1_000;
    for (;;) {
      const due = this.world.all('timers').find((it) => it.dueAtMs <= this.nowMs);
      if (due === undefined) return;
      this.submit('timer.fire', { timer: due.id });
    }
  }

  context(): Context {
    return {
      nowMs: this.nowMs,
      incarnation: this.incarnation,
      newId: (prefix) => `${prefix}_${String(++this.#ids).padStart(6, '0')}`,
      random: () => (this.#random = (this.#random * 16_807 + 7) % 2_147_483_647) / 2_147_483_647,
      sha256: digest,
      nextSeq: () => (this.#seq = Math.max(this.#seq + 1, this.nowMs * SEQ_PER_MS)),
      violations: (schema, data) => violationsOf(schema, data),
      schemaFault: (schema) => faultOf(schema),
      limitedKeys: () => new Set(this.world.all('limits').map((it) => it.key)),
      turnsOf: () => this.turns,
      engines: () => this.engines,
      silentMs: 30_000,
      offlineMs: 90_000,
      heartbeatMs: 10_000,
      ...(this.runSize === undefined ? {} : { runSize: this.runSize }),
    };
  }

  #registered(name: string): string {
    const known = this.world.list('workerByName', `${PROJECT}/${name}`)[0];
    if (known !== undefined) return known.id;
    // One that was removed comes back by another token.
    const before = this.world.all('joinTokens').filter((it) => it.name === name).length;
    const key = before === 0 ? name : `${name}-${before}`;
    const id = `jtk_${key}`;
    this.submit('joinToken.create', {
      body: { name, labels: {}, max_uses: 1, ephemeral: false },
      id,
      tokenHash: `hash-${key}`,
      expiresAtMs: this.nowMs + 60_000,
    });
    const body = {
      name,
      slots: 1,
      labels: {},
      capabilities: { engines: [], repos: [], languages: [], tools: [], environments: [] },
      ephemeral: false,
    };
    return (
      this.submit('worker.register', {
        body,
        joinToken: id,
        ownWorker: null,
        keyHash: `key-${key}`,
      }).worker ?? ''
    );
  }

  /** Decides as the coordinator does: what is missing is loaded and the question put again. */
  #decideWhole(command: Command): Exclude<Decision, { kind: 'needs' }> {
    const view = new LoadedWorld(this.world);
    if (this.usesPlan) {
      for (let round = 0; round < 8; round++) {
        const missing = plan(command, view).filter((need) => !isKnown(view, need));
        if (missing.length === 0) break;
        view.load(missing);
      }
      view.rounds = 0;
    }
    const asked = new Set<string>();
    const begin = [this.#ids, this.#seq, this.#random] as const;
    for (;;) {
      // Each round begins alike, so that ids do not tell how much was loaded ahead.
      [this.#ids, this.#seq, this.#random] = begin;
      const decision = decide(view, command, this.context());
      if (decision.kind === 'needs') {
        const fresh = decision.needs.filter((need) => !asked.has(JSON.stringify(need)));
        if (fresh.length === 0) throw new Error(`${command.type} asks for the same again`);
        for (const need of decision.needs) asked.add(JSON.stringify(need));
        view.load(decision.needs);
        continue;
      }
      if (decision.kind === 'accepted') {
        const blind = view.blindWrites(decision.changes);
        if (blind.length > 0)
          throw new Error(`${command.type} wrote unread rows: ${blind.join(', ')}`);
      }
      this.lastRounds = view.rounds;
      this.lastLoads = view.loads;
      return decision;
    }
  }
}

/** A plan written short: `a -> b`, `a -input:key-> b`, `a -done-> b`, `a -gate-> b`, `a -related-> b`. */
export function graphOf(
  tasks: Readonly<Record<string, TaskSpecInput>>,
  edges: readonly string[],
): PlanInput {
  return {
    tasks: Object.entries(tasks).map(([key, task]) => planTask.parse({ ...task, key })),
    dependencies: edges.map((text) => {
      const found = /^(\S+) -(?:(\w+)(?::(\w+))?-)?> (\S+)$/.exec(text);
      if (found === null) throw new Error(`not an edge: ${text}`);
      const [, upstream = '', word, contract, downstream = ''] = found;
      const isType = word === 'input' || word === 'gate' || word === 'related';
      return {
        upstream,
        downstream,
        type: isType ? word : 'blocks',
        on: word === 'done' || word === 'failure' ? word : 'success',
        ...(contract === undefined ? {} : { contract_key: contract }),
      };
    }),
  };
}

function known<T>(row: T | null, id: string): T {
  if (row === null) throw new Error(`there is no ${id}`);
  return row;
}

function isKnown(view: LoadedWorld, need: Need): boolean {
  if (need.kind === 'row') return view.row(need.table, need.id) !== undefined;
  if (need.kind === 'list') return view.list(need.list, need.id) !== undefined;
  return true;
}

/** Stands for sha256: the same text has the same digest, and others hardly ever. */
function digest(text: string): string {
  let out = '';
  for (let part = 0; part < 4; part++) {
    let hash = 2_166_136_261 + part * 7_919;
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619) >>> 0;
    }
    out += hash.toString(16).padStart(8, '0');
  }
  return out;
}

interface TinySchema {
  readonly type?: string;
  readonly required?: readonly string[];
}

/** Enough of JSON Schema to be right or wrong: `type` and `required`. */
function violationsOf(schema: unknown, data: unknown): readonly string[] {
  const { type, required = [] } = schema as TinySchema;
  const isObject = typeof data === 'object' && data !== null;
  if (type !== undefined && type !== (isObject ? 'object' : typeof data))
    return [`must be ${type}`];
  return required.filter((key) => !isObject || !(key in data)).map((key) => `must have ${key}`);
}

function faultOf(schema: unknown): string | null {
  const { type } = schema as TinySchema;
  return type === undefined || ['object', 'string', 'number'].includes(type)
    ? null
    : `type ${type}`;
}
