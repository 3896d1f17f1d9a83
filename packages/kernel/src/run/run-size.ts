import { LIMITS } from '@baton/contract';
import { refuse, type Refused } from '../refuse.ts';
import type { Context, RunSize } from '../world.ts';

const preset: RunSize = {
  tasksMax: LIMITS.tasksPerRunMax,
  dependenciesMax: LIMITS.dependenciesPerRunMax,
};

/** Why a run may not be made so large, or null. Counts what it would have then. */
export function sizeFault(
  { runSize = preset }: Pick<Context, 'runSize'>,
  size: { readonly tasks?: number; readonly dependencies?: number },
): Refused | null {
  const { tasks = 0, dependencies = 0 } = size;
  const { tasksMax, dependenciesMax } = runSize;
  if (tasks > tasksMax) {
    return exceeded('tasks', tasks, tasksMax, 'BATON_TASKS_PER_RUN_MAX');
  }
  return dependencies > dependenciesMax
    ? exceeded('dependencies', dependencies, dependenciesMax, 'BATON_DEPENDENCIES_PER_RUN_MAX')
    : null;
}

function exceeded(what: string, count: number, max: number, setting: string): Refused {
  return refuse(
    'limit_exceeded',
    `A run has at most ${max} ${what} here, and this would be ${count}; split the work, or have the operator raise ${setting}.`,
    { limit: setting, max, asked: count },
  );
}
