import { REVIEW_ACTIONS, type Actor, type Command } from '@baton/contract';
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
] as const;
export type LifeAct = (typeof LIFE_ACTS)[number];

/** Keys that limits are set for. */
const LIMITED = ['db', 'engine:shell'];

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

/** What must be undone before everything can come to rest: all that is paused, all limits. */
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
  ];
}

function anyOf<T>(rng: Rng, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : rng.pick(items);
}
