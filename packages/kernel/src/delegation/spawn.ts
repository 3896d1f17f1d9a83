import {
  isTerminalTask,
  refusal,
  type CommandOf,
  type Refusal,
  type TaskSpec,
} from '@baton/contract';
import { fence } from '../attempt/fence.ts';
import type { Reply } from '../decision.ts';
import type { Draft } from '../draft.ts';
import { list, row, rows } from '../need.ts';
import { handingOnLimits, modelLimits } from '../run/model-limits.ts';
import { refuse, type Refused } from '../refuse.ts';
import type { AttemptRow, TaskRow, TaskSpecRow } from '../rows.ts';
import type { Lineage } from '../task/new-task.ts';
import { chainOf, newestTry, respawnFault, type Try } from './chain.ts';
import { excessOf, inherit } from './rights.ts';

type Command = CommandOf<'task.create'>;
type Body = Command['body'];

/** An agent's task as it is to be made: in its own run, below its own task, with no more rights. */
export interface Spawn {
  readonly body: Body;
  readonly lineage: Lineage;
  /** To be called once nothing stands against it any more. */
  readonly tell: () => void;
}

/** Nothing more is to be done: the task was made before, or a limit declines it, which is on record. */
export interface Settled {
  readonly reply: Reply;
}

/**
 * What an agent hands on, checked. Sent again with the same id, it is the task that was made the first
 * time. What limits and the breaker decline is kept as an event, so that it can be counted.
 */
export function prepareSpawn(
  draft: Draft,
  spawner: NonNullable<Command['spawner']>,
  body: Body,
  specOf: (body: Body) => TaskSpec,
): Spawn | Settled | Refused {
  const { attempt: id, worker, epoch } = spawner;
  const attempt = fence(draft, { attempt: id, worker, body: { epoch } });
  if ('refused' in attempt) return attempt;
  draft.load([
    row('taskSpecs', attempt.taskId),
    row('runs', attempt.runId),
    list('childrenOfTask', attempt.taskId),
  ]);
  const parent = draft.get('taskSpecs', attempt.taskId);
  const stray = strayFault(attempt, body);
  if (stray !== null) return stray;
  const children = draft.list('childrenOfTask', attempt.taskId);
  const known = knownChild(draft, children, body.id);
  if (known !== null) return { reply: { task: known.id, run: known.runId, already: true } };
  const spec = inherit(parent.spec, specOf(body));
  const excess = excessOf(parent.spec, spec);
  if (excess !== null) return excess;
  const limit = limitFault(draft, attempt, parent, children, body.depends_on.length);
  if (limit !== null) return decline(draft, attempt, body, limit);
  return again(draft, attempt, { parent, children, body, spec });
}

/** An agent makes tasks below its own task, in its own run. */
function strayFault(attempt: AttemptRow, body: Body): Refused | null {
  const isElsewhere =
    (body.run !== undefined && body.run !== attempt.runId) ||
    (body.parent_task !== undefined && body.parent_task !== attempt.taskId);
  if (!isElsewhere) return null;
  return refuse(
    'forbidden',
    'An agent hands work on in its own run and below its own task; leave out run and parent_task.',
  );
}

function knownChild(
  draft: Draft,
  children: readonly TaskSpecRow[],
  chosen: string | undefined,
): TaskRow | null {
  if (chosen === undefined) return null;
  const id = chosen.includes('.') ? chosen : `${draft.project}.${chosen}`;
  return children.some((it) => it.taskId === id) ? draft.get('tasks', id) : null;
}

function limitFault(
  draft: Draft,
  attempt: AttemptRow,
  parent: TaskSpecRow,
  children: readonly TaskSpecRow[],
  edges: number,
): Refusal | null {
  const exceeded = (limit: string, most: number, words: string): Refusal =>
    refusal('limit_exceeded', words, { limit, max: most });
  const run = draft.get('runs', attempt.runId);
  const { tasks_per_run: tasksMax, edges_per_plan: edgesMax } = modelLimits(run.policy);
  const bounds = handingOnLimits(run.policy);
  if (parent.depth >= bounds.depth.max) {
    return exceeded(
      bounds.depth.name,
      bounds.depth.max,
      `Work is handed on at most ${bounds.depth.max} levels deep (${bounds.depth.name}); do this part yourself.`,
    );
  }
  if (edges > edgesMax) {
    return exceeded(
      'edges_per_plan',
      edgesMax,
      `What an agent hands on waits for at most ${edgesMax} tasks (policy.limits.edges_per_plan).`,
    );
  }
  draft.load(
    rows(
      'tasks',
      children.map((it) => it.taskId),
    ),
  );
  const open = children.filter((it) => !isTerminalTask(draft.get('tasks', it.taskId).status));
  if (open.length >= bounds.open.max) {
    return exceeded(
      bounds.open.name,
      bounds.open.max,
      `A task has at most ${bounds.open.max} children at work (${bounds.open.name}); await some first.`,
    );
  }
  if (run.taskCount >= tasksMax) {
    return exceeded(
      'tasks_per_run',
      tasksMax,
      `Agents add no tasks to a run that has ${tasksMax} (policy.limits.tasks_per_run); do this part yourself.`,
    );
  }
  return null;
}

interface Asked {
  readonly parent: TaskSpecRow;
  readonly children: readonly TaskSpecRow[];
  readonly body: Body;
  readonly spec: TaskSpec;
}

/** Holds what is handed on against earlier tries of the same. */
function again(draft: Draft, attempt: AttemptRow, asked: Asked): Spawn | Settled | Refused {
  const { parent, children, body, spec } = asked;
  const chain = chainOf(draft, body.key, spec);
  const last = newestTry(draft, children, chain);
  const isOpen = last !== undefined && !isTerminalTask(last.task.status);
  const fault = last === undefined ? null : respawnFault(draft, last);
  const about = { run: attempt.runId, task: attempt.taskId, attempt: attempt.id };
  if (last !== undefined && fault !== null && body.force !== true) {
    draft.event('task.respawn_refused', about, {
      code: fault.code,
      chain,
      previous: last.task.id,
      reason: fault.message,
    });
    return { reply: { task: attempt.taskId, run: attempt.runId, declined: fault } };
  }
  if (body.key !== undefined && isOpen) {
    return refuse(
      'duplicate_key',
      `${body.key} is ${last.task.status} already; await it, or choose another key.`,
      { key: body.key, task: last.task.id },
    );
  }
  const key =
    body.key === undefined || last === undefined
      ? body.key
      : nextKey(children, last, draft, body.key);
  return {
    body: {
      ...body,
      ...spec,
      ...(key === undefined ? {} : { key }),
      run: attempt.runId,
      parent_task: attempt.taskId,
    },
    lineage: {
      parentTaskId: attempt.taskId,
      origin: attempt.id,
      depth: parent.depth + 1,
      chain,
      rerunOf: last?.task.id ?? null,
      failuresInRow: last?.cold.failuresInRow ?? 0,
    },
    tell: () => {
      if (fault === null || last === undefined) return;
      const { code } = fault;
      draft.event('task.respawn_forced', about, { code, chain, previous: last.task.id });
    },
  };
}

/** The first try has the key itself, later ones a number behind it. */
function nextKey(children: readonly TaskSpecRow[], last: Try, draft: Draft, key: string): string {
  const taken = new Set(children.map((it) => draft.get('tasks', it.taskId).key));
  const tries = children.filter((it) => it.chain === last.cold.chain).length;
  for (let number = tries + 1; ; number++) {
    const next = `${key.slice(0, 58)}-${number}`;
    if (!taken.has(next)) return next;
  }
}

function decline(draft: Draft, attempt: AttemptRow, body: Body, fault: Refusal): Settled {
  draft.event(
    'task.spawn_refused',
    { run: attempt.runId, task: attempt.taskId, attempt: attempt.id },
    { limit: fault.detail?.['limit'], key: body.key ?? body.title ?? null, reason: fault.message },
  );
  return { reply: { task: attempt.taskId, run: attempt.runId, declined: fault } };
}
