import { planTask, type Plan, type RunCreate } from '@baton/contract';

/** Key of the one task of a run that came without a plan. */
export const MAIN_KEY = 'main';

/** The graph that a run's body asks for, or what is wrong with it. */
export interface ExpandedGoal {
  /** Empty when there is a fault. */
  readonly plan: Plan;
  /** One sentence; null when the plan is as asked. */
  readonly fault: string | null;
}

/** The graph of a run: the one given, or one agent task made of the goal and the fields beside it. */
export function expandGoal(body: Pick<RunCreate, 'goal' | 'plan' | 'task'>): ExpandedGoal {
  if (typeof body.plan === 'object') return { plan: body.plan, fault: null };
  const parsed = planTask.safeParse({
    title: titleOf(body.goal),
    spec: body.goal,
    ...body.task,
    key: MAIN_KEY,
  });
  if (parsed.success) return { plan: { tasks: [parsed.data], dependencies: [] }, fault: null };
  const issue = parsed.error.issues[0];
  const where = ['task', ...(issue?.path ?? [])].join('.');
  return {
    plan: { tasks: [], dependencies: [] },
    fault: `${where}: ${issue?.message ?? 'invalid'}`,
  };
}

/** The first line of a text, at most 120 characters. */
export function titleOf(text: string): string {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}
