import {
  isTerminalTask,
  plan as planSchema,
  planTask,
  runCreate,
  taskCreate,
  type Actor,
  type Command,
  type PlanInput,
  type TaskSpecInput,
} from '@baton/contract';
import type { Reply } from '@baton/kernel';
import { codeOf } from '../edge.ts';
import type { Act, ClientAct } from '../plan.ts';
import { createRng, type Rng } from '../rng.ts';
import type { Sim } from '../sim.ts';
import { LIFE_ACTS, lifeCommand, undoings, type LifeAct } from './life-acts.ts';
import { POISON } from '../store/sim-database.ts';

type ClientAction = Extract<Act, { kind: 'client' }>;

const KINDS: readonly TaskSpecInput[] = [
  {},
  {},
  { kind: 'command', spec: 'true' },
  { kind: 'join' },
  { kind: 'human', spec: 'Which?' },
  { kind: 'human', spec: 'Which?', timeouts: { approval: 60 } },
  { approval: { dispatch: true } },
  { approval: { dispatch: true }, timeouts: { approval: 30 } },
  { dispatch: 'manual' },
  { retry: { max_attempts: 3, backoff_seconds: 5 } },
  { retry: { max_attempts: 2, backoff_seconds: 0 } },
  { timeouts: { run: 40, start: 20, queue: 200 } },
  { kind: 'verify' },
  { verification: { checks: { commands: ['true'] }, max_retries: 1 } },
  { verification: { checks: { judge: {}, person: true }, on_reject: 'ask' } },
  { concurrency: ['db'] },
  { concurrency: ['db'], kind: 'command', spec: 'true' },
  { priority: 'critical' },
  { priority: 'low', needs: { engine: 'codex' } },
  { outputs: [{ key: 'x', schema: { type: 'string' } }] },
  {
    outputs: [
      { key: 'x', schema: { type: 'string' } },
      { key: 'y', required: false },
    ],
  },
];
const EDGES = ['blocks', 'blocks', 'blocks', 'done', 'failure', 'related', 'gate', 'input'];

/** People and scripts: they ask again when no answer comes, decide late and twice. */
export class SimClients {
  readonly #sim: Sim;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  /** Does what an act says, with what there is now. */
  act(action: ClientAction): void {
    const rng = createRng(`${this.#sim.plan.seed} ${action.what} ${action.atMs} ${action.a}`);
    const command = this.#commandOf(action.what, action, rng);
    if (command === undefined) return;
    this.#ask(command, action.key, rng, 0);
    // Some say the same again at once, others decide what was decided.
    if (rng.chance(0.15)) {
      if (action.key !== null) this.#ask(command, action.key, rng.fork('again'), 0);
      else if (command.type === 'checkpoint.resolve')
        this.#sim.loop.after(rng.between(0, 30_000), () => this.#ask(command, null, rng, 99));
    }
  }

  /** Decides everything that waits for a person, and assigns what waits for that: at the end. */
  async settleAll(): Promise<void> {
    const { world } = this.#sim.db;
    const rng = createRng(`${this.#sim.plan.seed} settle`);
    for (const it of world.all('checkpoints').filter((row) => row.status === 'open')) {
      const option = it.options[0];
      await this.#plainly({
        ...this.#base(),
        type: 'checkpoint.resolve',
        checkpoint: it.id,
        body: option === undefined ? { text: 'so' } : { option },
        via: 'api',
      });
    }
    for (const row of world.all('ready')) {
      if (row.held !== 'waiting_for_assignment') continue;
      const worker = rng.pick(this.#sim.workers).name;
      await this.#plainly({ ...this.#base(), type: 'task.assign', task: row.taskId, worker });
    }
    for (const command of undoings(world, this.#base())) await this.#plainly(command);
    for (const worker of world.all('workers')) {
      if (!worker.draining) continue;
      await this.#plainly({
        ...this.#base(),
        type: 'worker.drain',
        worker: worker.id,
        draining: false,
      });
    }
  }

  async #plainly(command: Command): Promise<void> {
    const replica = this.#sim.replicas.find((it) => it.isUp);
    await replica?.submit(command).catch(() => undefined);
  }

  #ask(command: Command, key: string | null, rng: Rng, tries: number): void {
    const isOther = key !== null && tries > 0 && rng.chance(0.1);
    const said = isOther ? otherwise(command) : command;
    if (tries > 0 && key !== null)
      this.#sim.sometimes.saw('a request was sent again under its key');
    const options =
      key === null
        ? {}
        : { idempotency: { scope: 'client', key, requestSha256: isOther ? 'other' : 'same' } };
    this.#sim
      .request(rng, (replica): Promise<Reply> => replica.submit(said, options))
      .catch((error: unknown) => {
        const { code, retry } = codeOf(error);
        const isUnclear = retry || code === 'timeout';
        // Without a key nobody may ask again: it could happen twice.
        if (!isUnclear || key === null || tries >= 8) return;
        this.#sim.loop.after(rng.between(200, 10_000), () =>
          this.#ask(command, key, rng, tries + 1),
        );
      });
  }

  #commandOf(what: ClientAct, action: ClientAction, rng: Rng): Command | undefined {
    const { world } = this.#sim.db;
    const base = this.#base();
    const { a, b } = action;
    const tasks = world.all('tasks');
    const task = tasks[a % Math.max(1, tasks.length)];
    switch (what) {
      case 'run':
        return this.#newRun(rng, `goal ${action.atMs} ${a}`);
      case 'crowd':
        return this.#newRun(rng, `crowd ${action.atMs} ${a}`, crowd(b));
      case 'poison':
        return this.#newRun(rng, `${POISON} ${action.atMs} ${a}`);
      case 'task': {
        const dependsOn = task === undefined || b % 3 === 0 ? [] : [task.id];
        const spec = { ...rng.pick(KINDS), outputs: [], lease_seconds: 30 };
        const body = taskCreate.parse({ ...spec, depends_on: dependsOn });
        return { ...base, type: 'task.create', body };
      }
      case 'cancel_run': {
        const run = world.all('runs')[a % Math.max(1, world.all('runs').length)];
        if (run === undefined) return undefined;
        if (run.activeTasks > 0)
          this.#sim.sometimes.saw('a run was cancelled with attempts at work');
        return { ...base, type: 'run.cancel', run: run.id, reason: 'enough' };
      }
      case 'resolve': {
        const all = world.all('checkpoints');
        const open = all.filter((it) => it.status === 'open');
        const pool = open.length > 0 && b % 4 !== 0 ? open : all;
        const checkpoint = pool[a % Math.max(1, pool.length)];
        if (checkpoint === undefined) return undefined;
        const option = checkpoint.options[b % Math.max(1, checkpoint.options.length)];
        const body = option === undefined ? { text: 'so' } : { option };
        return { ...base, type: 'checkpoint.resolve', checkpoint: checkpoint.id, body, via: 'api' };
      }
      case 'worker_crash':
        this.#sim.workers[a % this.#sim.workers.length]?.crash(b % 2 === 0);
        return undefined;
      case 'drain': {
        const worker = this.#sim.workers[a % this.#sim.workers.length];
        if (worker === undefined || worker.id === '') return undefined;
        return { ...base, type: 'worker.drain', worker: worker.id, draining: b % 2 === 0 };
      }
      default:
        if (isLifeAct(what)) return lifeCommand(world, base, what, rng);
        return task === undefined ? undefined : this.#aboutTask(what, task.id, action, rng);
    }
  }

  #aboutTask(what: ClientAct, task: string, { a, b }: ClientAction, rng: Rng): Command | undefined {
    const { world } = this.#sim.db;
    const base = { ...this.#base(), task };
    switch (what) {
      case 'cancel_task':
        return { ...base, type: 'task.cancel', reason: null };
      case 'retry': {
        const ended = world.all('tasks').filter((it) => isTerminalTask(it.status));
        const id = b % 5 === 0 ? task : (ended[a % Math.max(1, ended.length)]?.id ?? task);
        const downstream = b % 2 === 0 ? 'keep' : 'reset';
        return { ...base, type: 'task.retry', task: id, reason: 'again', downstream };
      }
      case 'decide': {
        const asked = world.all('tasks').filter((it) => it.checkpointId !== null);
        const id = asked[a % Math.max(1, asked.length)]?.id ?? task;
        const verb = b % 3 === 0 ? 'reject' : 'approve';
        return { ...base, type: 'task.decide', task: id, verb, body: {}, via: 'cli' };
      }
      case 'assign': {
        const names = [...this.#sim.workers.map((it) => it.name), 'nobody', null];
        return { ...base, type: 'task.assign', worker: rng.pick(names) };
      }
      case 'note':
        return { ...base, type: 'task.note', text: 'mind', urgent: b % 2 === 0 };
      case 'progress':
        return { ...base, type: 'task.progress', percent: b % 100, text: 'far' };
      case 'ask':
        return {
          ...base,
          type: 'checkpoint.open',
          body: {
            kind: 'question',
            question: 'Really?',
            context: null,
            options: ['yes'],
            default: 'yes',
            timeout_seconds: 20,
            answer_by: 'human',
            resume: rng.pick(['live', 'held', 'new_attempt'] as const),
          },
        };
      case 'add_edge': {
        const tasks = world.all('tasks');
        const upstream = tasks[b % tasks.length]?.id;
        if (upstream === undefined) return undefined;
        const on = rng.pick(['success', 'done', 'failure'] as const);
        return { ...base, type: 'dependency.add', body: { upstream, type: 'blocks', on } };
      }
      case 'remove_edge': {
        const edges = world.all('dependencies');
        const edge = edges[b % Math.max(1, edges.length)];
        if (edge === undefined) return undefined;
        return { ...base, type: 'dependency.remove', task: edge.downstreamId, dependency: edge.id };
      }
      default:
        return undefined;
    }
  }

  #newRun(rng: Rng, goal: string, plan = graph(rng)): Command {
    return {
      ...this.#base(),
      type: 'run.create',
      body: runCreate.parse({
        goal,
        plan: planSchema.parse(plan),
        policy: rng.chance(0.3)
          ? { on_task_failure: rng.pick(['fail_run', 'replan'] as const) }
          : {},
        deliver: rng.chance(0.4) ? 'branch' : 'none',
      }),
    };
  }

  #base(): { project: string; actor: Actor } {
    return { project: this.#sim.project, actor: { kind: 'user', id: 'usr_1', name: 'ada' } };
  }
}

/** Many equal tasks at once; some of a higher class. */
function crowd(size: number): PlanInput {
  return {
    tasks: Array.from({ length: size }, (_, at) =>
      planTask.parse({
        key: `t${at}`,
        lease_seconds: 30,
        ...(at % 9 === 8 ? { priority: 'high' } : {}),
      }),
    ),
  };
}

/** A graph of up to 7 tasks; edges go forward, so that it has no cycle. */
function graph(rng: Rng): PlanInput {
  const size = 1 + rng.int(7);
  const specs = Array.from({ length: size }, () => rng.pick(KINDS));
  const tasks = specs.map((spec, at) =>
    planTask.parse({ ...spec, key: `t${at}`, lease_seconds: rng.pick([10, 30, 90]) }),
  );
  const dependencies: NonNullable<PlanInput['dependencies']>[number][] = [];
  for (let left = size > 1 ? rng.int(size * 2) : 0; left > 0; left--) {
    const from = rng.int(size - 1);
    const to = from + 1 + rng.int(size - 1 - from);
    const kind = rng.pick(EDGES);
    const ends = { upstream: `t${from}`, downstream: `t${to}` };
    if (kind === 'gate' && specs[from]?.kind === 'verify')
      dependencies.push({ ...ends, type: 'gate' });
    else if (kind === 'input' && specs[from]?.outputs !== undefined)
      dependencies.push({ ...ends, type: 'input', contract_key: 'x' });
    else if (kind === 'related') dependencies.push({ ...ends, type: 'related' });
    else if (kind === 'done' || kind === 'failure')
      dependencies.push({ ...ends, type: 'blocks', on: kind });
    else dependencies.push({ ...ends, type: 'blocks' });
  }
  return { tasks, dependencies };
}

function isLifeAct(what: ClientAct): what is LifeAct {
  return (LIFE_ACTS as readonly string[]).includes(what);
}

/** Another body, under the same key. */
function otherwise(command: Command): Command {
  return command.type === 'run.create'
    ? { ...command, body: { ...command.body, labels: { other: 'yes' } } }
    : command;
}
