import type { RouteExample } from './examples.ts';
import { budget, later, limit, runId, workerId } from './example-objects.ts';
import { plain } from './plain-example.ts';
import type { RouteName } from './table.ts';

const ofRun = { params: { id: runId } } as const;

type SchedulingRoute = Extract<
  RouteName,
  | 'listBudgets'
  | 'listLimits'
  | 'listParkings'
  | 'removeBudget'
  | 'removeLimit'
  | 'setBudget'
  | 'setLimit'
>;

/** Examples of the routes for limits, parkings and budgets. */
export const SCHEDULING_EXAMPLES: { readonly [N in SchedulingRoute]: RouteExample<N> } = {
  listLimits: { reply: { items: [plain(limit)] } },
  setLimit: {
    params: { key: 'engine:claude' },
    body: { max_running: 2, rate_per_minute: 30, burst: 2 },
    reply: plain(limit),
  },
  removeLimit: { params: { key: 'engine:claude' } },
  listParkings: {
    reply: {
      items: [
        {
          engine: 'claude',
          account: 'team@example.org',
          worker: workerId,
          worker_name: 'mac-mini',
          until: later,
          reason: 'usage limit reached',
        },
      ],
    },
  },
  listBudgets: { query: { run: runId }, reply: { items: [plain(budget)] } },
  setBudget: { ...ofRun, body: { usd: '20', reserve_usd: '0.5' }, reply: plain(budget) },
  removeBudget: { ...ofRun },
};
