import {
  ID_PREFIXES,
  taskSpec,
  type AgentEvent,
  type Attempt,
  type Checkpoint,
  type Dependency,
  type Event,
  type EventType,
  type IdKind,
  type Json,
  type Run,
  type Task,
  type TaskOutput,
  type TaskSpecInput,
  type TaskStatus,
} from '@baton/contract';

/** What an attempt has said so far, by stream. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly agent: string;
}

/** A small control plane in memory: what the pages read, and the events that change it. */
export interface World {
  readonly project: string;
  readonly runs: Map<string, Run>;
  readonly tasks: Map<string, Task>;
  readonly edges: Dependency[];
  readonly checkpoints: Map<string, Checkpoint>;
  readonly attempts: Map<string, Attempt>;
  readonly outputs: Map<string, TaskOutput[]>;
  readonly diffs: Map<string, string>;
  readonly logs: Map<string, Output>;
  readonly events: Event[];
  readonly listeners: Set<() => void>;
  emit(type: EventType, run: string, task: string | null, data?: Record<string, Json>): void;
  say(attempt: string, stream: keyof Output, text: string): void;
}

let counter = 0;

/** An id that looks like a generated one; ids of one kind sort by age. */
export function id(kind: IdKind): string {
  counter += 1;
  let rest = '';
  for (let left = counter; rest.length < 24; left = Math.floor(left / 32)) {
    rest = `${'0123456789abcdefghjkmnpqrstvwxyz'[left % 32]}${rest}`;
  }
  return `${ID_PREFIXES[kind]}_01${rest}`;
}

/** An instant `ms` from now. */
export function at(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

export function createWorld(): World {
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const world: World = {
    project: id('project'),
    runs: new Map(),
    tasks: new Map(),
    edges: [],
    checkpoints: new Map(),
    attempts: new Map(),
    outputs: new Map(),
    diffs: new Map(),
    logs: new Map(),
    events: [],
    listeners,
    emit(type, run, task, data = {}) {
      const pos = world.events.length + 1;
      const seq = world.events.filter((event) => event.run === run).length + 1;
      world.events.push({
        cursor: `1.${pos}`,
        pos,
        run_seq: seq,
        project: world.project,
        run,
        task,
        attempt: null,
        type,
        actor: { kind: 'kernel', id: null, name: null },
        cause: null,
        at: at(0),
        data,
      });
      tell();
    },
    say(attempt, stream, text) {
      const now = world.logs.get(attempt) ?? { stdout: '', stderr: '', agent: '' };
      world.logs.set(attempt, { ...now, [stream]: now[stream] + text });
      tell();
    },
  };
  return world;
}

export function addRun(world: World, fields: Partial<Run> & { readonly goal: string }): Run {
  const run: Run = {
    id: id('run'),
    project: world.project,
    status: 'running',
    reason: null,
    planning: 'idle',
    source: 'api',
    input: {},
    labels: {},
    policy: {
      on_task_failure: 'continue',
      require_dispatch_approval: 'never',
      require_plan_approval: false,
    },
    deliver: 'merge',
    delivery: { state: 'none' },
    plan_version: 1,
    seq: 0,
    task_count: 0,
    tasks_by_status: {},
    needs_human: 0,
    usd: '0',
    lineage_root: '',
    rerun_of: null,
    created_by: 'owner',
    created_at: at(-400_000),
    started_at: at(-400_000),
    ended_at: null,
    updated_at: at(-4_000),
    ...fields,
  };
  const whole = { ...run, lineage_root: run.id };
  world.runs.set(whole.id, whole);
  world.emit('run.created', whole.id, null, { goal: whole.goal, status: whole.status });
  return whole;
}

interface TaskFields extends Partial<Omit<Task, 'spec'>> {
  readonly key: string;
  readonly status: TaskStatus;
  readonly spec?: TaskSpecInput;
}

export function addTask(world: World, run: string, fields: TaskFields): Task {
  const started = !['blocked', 'ready', 'awaiting_approval'].includes(fields.status);
  const ended = ['completed', 'failed', 'cancelled', 'skipped'].includes(fields.status);
  const task: Task = {
    id: id('task'),
    project: world.project,
    run,
    title: '',
    reason: null,
    generation: 1,
    epoch: 1,
    plan_version: 1,
    attempt_count: started ? 1 : 0,
    attempt: null,
    worker: null,
    worker_name: null,
    assigned_worker: null,
    needs_human: false,
    progress: null,
    result: null,
    outdated: false,
    verification: null,
    verifies: null,
    failure_class: null,
    review: { state: 'none', by: null, at: null, note: null },
    parent_task: null,
    lineage_root: run,
    depth: 0,
    rerun_of: null,
    origin: null,
    retry_at: null,
    usd: '0',
    created_at: at(-400_000),
    ready_at: at(-390_000),
    started_at: started ? at(-300_000) : null,
    ended_at: ended ? at(-120_000) : null,
    updated_at: at(ended ? -120_000 : -8_000),
    ...fields,
    spec: taskSpec.parse(fields.spec ?? {}),
  };
  world.tasks.set(task.id, task);
  world.emit('task.created', run, task.id, {
    key: task.key,
    title: task.title,
    status: task.status,
  });
  return task;
}

export function addAttempt(world: World, task: Task, fields: Partial<Attempt> = {}): Attempt {
  const attempt: Attempt = {
    id: id('attempt'),
    task: task.id,
    run: task.run,
    number: 1,
    generation: 1,
    epoch: 1,
    worker: task.worker ?? id('worker'),
    worker_name: task.worker_name ?? 'lathe',
    engine: task.spec.needs.engine ?? 'claude',
    status: 'running',
    failure_class: null,
    reason: null,
    conversation: null,
    prompt_sha256: null,
    manifest: {},
    manifest_sha256: '0'.repeat(64),
    usage: {
      input_tokens: 8_412,
      output_tokens: 2_210,
      cache_read_tokens: 120_400,
      cache_write_tokens: 9_100,
      usd: '0.8421',
    },
    exit_code: null,
    result: null,
    orphan_result: null,
    lease_until: at(60_000),
    claimed_at: task.started_at ?? at(-300_000),
    started_at: task.started_at ?? at(-300_000),
    ended_at: task.ended_at,
    ...fields,
  };
  world.attempts.set(attempt.id, attempt);
  world.tasks.set(task.id, { ...task, attempt: attempt.id });
  world.emit('task.assigned', task.run, task.id, {
    worker_name: attempt.worker_name,
    attempt: attempt.id,
    by: 'auto',
    score: 225,
  });
  return attempt;
}

export function addEdge(
  world: World,
  from: Task,
  to: Task,
  fields: Partial<Dependency> = {},
): void {
  world.edges.push({
    id: id('dependency'),
    run: from.run,
    upstream: from.id,
    upstream_key: from.key,
    downstream: to.id,
    downstream_key: to.key,
    type: 'blocks',
    contract_key: null,
    as: null,
    on: 'success',
    satisfied: from.status === 'completed',
    plan_version: 1,
    ...fields,
  });
}

export function addCheckpoint(
  world: World,
  task: Task,
  fields: Partial<Checkpoint> & { readonly question: string },
): Checkpoint {
  const checkpoint: Checkpoint = {
    id: id('checkpoint'),
    project: world.project,
    run: task.run,
    task: task.id,
    task_key: task.key,
    attempt: null,
    kind: 'question',
    context: null,
    options: [],
    freeform: true,
    default_option: null,
    timeout_at: null,
    on_timeout: 'keep_waiting',
    answer_by: 'human',
    resume: 'live',
    facts_sha256: null,
    status: 'open',
    resolution: null,
    opened_by: 'agent',
    opened_at: at(-240_000),
    closed_at: null,
    ...fields,
  };
  world.checkpoints.set(checkpoint.id, checkpoint);
  world.emit('checkpoint.opened', task.run, task.id, {
    kind: checkpoint.kind,
    question: checkpoint.question,
  });
  return checkpoint;
}

/** Agent events as their log stream holds them. */
export function agentLines(...events: readonly AgentEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
