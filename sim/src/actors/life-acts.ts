import {
  isTerminalRun,
  isTerminalTask,
  REVIEW_ACTIONS,
  runReplan,
  type Actor,
  type Command,
} from '@baton/contract';
import { awaitsReplan } from '@baton/kernel/testing';
import type { MemoryWorld } from '@baton/kernel/testing';
import type { Rng } from '../rng.ts';

/** What people do to work that is on its way, besides starting and cancelling it. */
export const LIFE_ACTS = [
  'pause_task',
  'resume_task',
  'pause_run',
  'resume_run',
  'relaunch',
  'rerun_task',
  'rerun_run',
  'review',
  'adopt',
  'barrier',
  'limit',
  'message',
  'replan',
  'replan',
  'budget',
  'budget',
  'wake',
  'remove_worker',
  'delete_run',
  'purge_run',
  'delete_task',
  'purge_task',
] as const;
export type LifeAct = (typeof LIFE_ACTS)[number];

/** Keys that limits are set for. */
const LIMITED = ['db', 'engine:shell', 'engine:claude'];

/** The command of an act, about something that there is; undefined when there is nothing. */
export function lifeCommand(
  world: MemoryWorld,
  base: { project: string; actor: Actor },
  what: LifeAct,
  rng: Rng,
): Command | undefined {
  const task = anyOf(rng, world.all('tasks'))?.id;
  const run = anyOf(rng, world.all('runs'))?.id;
  const reason = null;
  const downstream = rng.pick(['keep', 'reset'] as const);
  switch (what) {
    case 'limit':
      return limitCommand(base, rng);
    case 'budget':
      return budgetCommand(world, base, rng);
    case 'replan':
      return replanCommand(world, base, rng);
    case 'wake': {
      const waiting = world.all('awaits').filter((it) => it.status === 'open');
      const id = anyOf(rng, waiting)?.taskId;
      return id === undefined ? undefined : { ...base, type: 'await.cancel', task: id };
    }
    case 'remove_worker': {
      const worker = anyOf(rng, world.all('workers'))?.id;
      return worker === undefined ? undefined : { ...base, type: 'worker.remove', worker };
    }
    case 'adopt': {
      const attempt = anyOf(
        rng,
        world.all('attempts').filter((it) => it.orphanResult !== null),
      );
      return attempt && { ...base, type: 'attempt.adopt', attempt: attempt.id, reason };
    }
    case 'resume_task': {
      const paused = world.all('tasks').filter((it) => it.status === 'paused');
      const id = anyOf(rng, paused)?.id;
      return id === undefined ? undefined : { ...base, type: 'task.resume', task: id };
    }
    case 'resume_run': {
      const paused = world.all('runs').filter((it) => it.status === 'paused');
      const id = anyOf(rng, paused)?.id;
      return id === undefined ? undefined : { ...base, type: 'run.resume', run: id };
    }
    default:
  }
  if (task === undefined || run === undefined) return undefined;
  switch (what) {
    case 'pause_task':
      return { ...base, type: 'task.pause', task, reason };
    case 'pause_run':
      return { ...base, type: 'run.pause', run, reason };
    case 'delete_run':
      return { ...base, type: 'run.delete', run, reason };
    case 'purge_run':
      return { ...base, type: 'run.purge', run };
    case 'delete_task':
      return { ...base, type: 'task.delete', task, reason };
    case 'purge_task':
      return { ...base, type: 'task.purge', task };
    case 'relaunch':
      return { ...base, type: 'task.relaunch', task, reason, downstream };
    case 'rerun_task':
      return { ...base, type: 'task.rerun', task, reason };
    case 'rerun_run':
      return { ...base, type: 'run.rerun', run, reason };
    case 'message':
      return { ...base, type: 'task.message', task, text: 'mind this' };
    case 'review':
      return { ...base, type: 'task.review', task, action: rng.pick(REVIEW_ACTIONS), note: 'so' };
    case 'barrier':
      return {
        ...base,
        type: 'run.checkpoint',
        run,
        body: {
          kind: 'question',
          question: 'Go on?',
          context: null,
          options: ['yes'],
          answer_by: 'human',
          ...(rng.chance(0.5) ? { default: 'yes', timeout_seconds: 30 } : {}),
        },
      };
  }
}

function limitCommand(base: { project: string; actor: Actor }, rng: Rng): Command {
  const key = rng.pick(LIMITED);
  if (rng.chance(0.3)) return { ...base, type: 'limit.remove', key };
  const max_running = rng.pick([0, 1, 2, null]);
  const rate_per_minute = max_running === null ? 6 : null;
  return { ...base, type: 'limit.set', key, body: { max_running, rate_per_minute, burst: 1 } };
}

/** A budget, often too small, of the project, a run or a task; or none any more. */
function budgetCommand(
  world: MemoryWorld,
  base: { project: string; actor: Actor },
  rng: Rng,
): Command | undefined {
  const scope = rng.pick(['project', 'run', 'run', 'task'] as const);
  const rows: readonly { readonly id: string }[] =
    scope === 'run'
      ? world.all('runs').filter((it) => !isTerminalRun(it.status))
      : world.all('tasks').filter((it) => !isTerminalTask(it.status));
  const id = scope === 'project' ? base.project : anyOf(rng, rows)?.id;
  if (id === undefined) return undefined;
  const usd = rng.chance(0.25) ? null : rng.pick(['0.5', '0.5', '3']);
  return { ...base, type: 'budget.set', scope, id, body: { usd, reserve_usd: '0.3' } };
}

/** New tasks in place of what failed, or of some that are named; now and then for an older plan. */
function replanCommand(
  world: MemoryWorld,
  base: { project: string; actor: Actor },
  rng: Rng,
): Command | undefined {
  const runs = world.all('runs');
  const waiting = runs.filter((it) => awaitsReplan(it));
  const run = anyOf(rng, waiting.length > 0 ? waiting : runs);
  if (run === undefined) return undefined;
  const tasks = world.list('tasksOfRun', run.id);
  const key = `n${run.planVersion}-${rng.int(1_000)}`;
  const upstream = rng.chance(0.6) ? anyOf(rng, tasks)?.key : undefined;
  const supersede = tasks.filter(() => rng.chance(0.4)).map((it) => it.key);
  const body = runReplan.parse({
    plan: {
      tasks: [{ key }, { key: `${key}-2`, kind: 'command', spec: 'true' }],
      dependencies: [
        { upstream: key, downstream: `${key}-2` },
        ...(upstream === undefined
          ? []
          : [{ upstream, downstream: key, on: rng.pick(['success', 'done']) }]),
      ],
    },
    plan_version: run.planVersion + (rng.chance(0.1) ? 1 : 0),
    ...(rng.chance(0.4) ? { supersede } : {}),
  });
  return { ...base, type: 'run.replan', run: run.id, body };
}

/** What must be undone before everything can come to rest: all that is paused, limits, budgets, waits for a plan. */
export function undoings(world: MemoryWorld, base: { project: string; actor: Actor }): Command[] {
  return [
    ...world
      .all('runs')
      .filter((it) => it.status === 'paused')
      .map((it): Command => ({ ...base, type: 'run.resume', run: it.id })),
    ...world
      .all('tasks')
      .filter((it) => it.status === 'paused')
      .map((it): Command => ({ ...base, type: 'task.resume', task: it.id })),
    ...world.all('limits').map((it): Command => ({ ...base, type: 'limit.remove', key: it.key })),
    ...world.all('budgets').map(({ scope, id }): Command => ({
      ...base,
      type: 'budget.set',
      scope,
      id,
      body: { usd: null, reserve_usd: undefined },
    })),
    ...world
      .all('runs')
      .filter((it) => it.status === 'waiting' && awaitsReplan(it))
      .map((it): Command => ({ ...base, type: 'run.cancel', run: it.id, reason: 'no plan' })),
  ];
}

function anyOf<T>(rng: Rng, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : rng.pick(items);
}
