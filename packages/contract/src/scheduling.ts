import { z } from 'zod';
import { anyId, instant } from './ids.ts';
import { DEFAULTS, LIMITS } from './limits.ts';

/**
 * A name under which tasks share a limit: any text without blanks. `engine:claude` and `repo:gateway`
 * count every task of that engine or repository; others are those of a task's `concurrency`.
 */
export const concurrencyKey = z
  .string()
  .regex(/^[^\s#]{1,200}$/, 'must be 1 to 200 characters without blanks or "#"');

/** What a key allows. At least one of the two bounds is set. */
export const limitSet = z
  .strictObject({
    max_running: z
      .int()
      .min(0)
      .max(LIMITS.limitRunningMax)
      .nullable()
      .default(null)
      .describe('tasks that run at a time; 0 stops them'),
    rate_per_minute: z
      .number()
      .positive()
      .max(LIMITS.limitRatePerMinuteMax)
      .nullable()
      .default(null)
      .describe('tasks that start a minute, evenly spread'),
    burst: z
      .int()
      .min(1)
      .max(LIMITS.limitRunningMax)
      .default(1)
      .describe('tasks that may start at once after a pause, where there is a rate'),
  })
  .refine((it) => it.max_running !== null || it.rate_per_minute !== null, {
    message: 'set max_running, rate_per_minute or both; DELETE takes a limit away',
  });
export type LimitSet = z.infer<typeof limitSet>;

/** A limit with who holds it now. */
export const limit = z.object({
  key: z.string(),
  max_running: z.int().nullable(),
  rate_per_minute: z.number().nullable(),
  burst: z.int(),
  running: z.int(),
  holders: z
    .array(z.object({ task: anyId, key: z.string(), run: anyId, attempt: anyId }))
    .describe('the first of the tasks that count against max_running'),
  next_start_at: instant
    .nullable()
    .describe('when the rate allows the next start; null: it does now, or there is none'),
  updated_at: instant,
});
export type Limit = z.infer<typeof limit>;

/** Engines of an account that a provider refuses until its limit resets. */
export const parking = z.object({
  engine: z.string(),
  account: z.string().nullable().describe('as its worker tells it; null: the worker by itself'),
  worker: anyId.nullable(),
  worker_name: z.string().nullable(),
  until: instant,
  reason: z.string(),
});
export type Parking = z.infer<typeof parking>;

/** Dollars as a decimal string or a number; more than nothing. */
const usd = z
  .union([z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be dollars, such as "2.50"'), z.number()])
  .refine((it) => Number(it) > 0 && Number(it) <= LIMITS.budgetUsdMax, {
    message: `must be more than 0 and at most ${LIMITS.budgetUsdMax} dollars`,
  });

/** What a run or a task may cost. */
export const budgetSpec = z.strictObject({
  usd: usd.optional().describe('all it may spend; at 80 % a warning, at 100 % it is paused'),
  reserve_usd: usd
    .optional()
    .describe(`set aside for each attempt before it starts; default ${DEFAULTS.reserveUsd}`),
});
export type BudgetSpec = z.infer<typeof budgetSpec>;

/** Body of a change of a budget. What is not said of `reserve_usd` stays as it is. */
export const budgetSet = z.strictObject({
  usd,
  reserve_usd: budgetSpec.shape.reserve_usd,
});
/** Null takes the budget away. */
export type BudgetSet = Omit<z.infer<typeof budgetSet>, 'usd'> & {
  readonly usd: string | number | null;
};

/** A budget and where it stands; money is decimal dollars. */
export const budget = z.object({
  scope: z.enum(['project', 'run', 'task']),
  id: anyId.describe('of the project, run or task'),
  limit_usd: z.string(),
  spent_usd: z.string(),
  reserved_usd: z.string().describe('set aside for the attempts that are open'),
  reserve_usd: z.string().describe('set aside for each attempt before it starts'),
  warned: z.boolean().describe('80 % were told'),
  exhausted: z.boolean(),
});
export type Budget = z.infer<typeof budget>;
