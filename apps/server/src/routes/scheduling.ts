import type { Budget, BudgetSet, Limit } from '@baton/contract';
import { decimalUsd, nextStartMs, normaliseKey, type BudgetRow } from '@baton/kernel';
import type { LimitRead } from '@baton/store';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { found, notFound, resolveId } from '../resolve.ts';
import { publicTaskId } from '../views/ids.ts';
import { isoOf } from '../views/instant.ts';

type Names =
  | 'listLimits'
  | 'setLimit'
  | 'removeLimit'
  | 'listParkings'
  | 'listBudgets'
  | 'setBudget'
  | 'removeBudget';

interface BudgetCall {
  readonly project: string;
  readonly principal: Principal;
  readonly params: { readonly id: string };
}

/** Handlers of the area `scheduling`: limits, engines that are refused, budgets. */
export function schedulingHandlers(app: App): Pick<Handlers, Names> {
  const { coordinator, reads } = app;

  /** A project, run or task by its id. */
  async function ownerOf({ project, params: { id } }: BudgetCall) {
    if (id === project) return { scope: 'project', id } as const;
    if (id.startsWith('run_')) {
      return { scope: 'run', id: await resolveId(reads, 'runs', project, id) } as const;
    }
    return { scope: 'task', id: await resolveId(reads, 'tasks', project, id) } as const;
  }

  async function setBudget(call: BudgetCall, body: BudgetSet): Promise<string> {
    const { project, principal } = call;
    const owner = await ownerOf(call);
    const base = { project, actor: actorOf(principal) };
    await coordinator.submit({ ...base, type: 'budget.set', ...owner, body });
    return owner.id;
  }

  return {
    async listLimits({ project }) {
      const all = await reads.listLimits(project);
      return { items: all.map((it) => limitView(it, coordinator.nowMs())) };
    },

    async setLimit(call) {
      const { project, principal, params, body } = call;
      const key = normaliseKey(params.key);
      await coordinator.submit(
        { type: 'limit.set', project, actor: actorOf(principal), key, body },
        { idempotency: call.idempotency },
      );
      const [made] = await reads.listLimits(project, key);
      return limitView(found(made, 'limit', params.key), coordinator.nowMs());
    },

    async removeLimit(call) {
      const { project, principal, params } = call;
      const key = normaliseKey(params.key);
      await coordinator.submit({ type: 'limit.remove', project, actor: actorOf(principal), key });
      return undefined;
    },

    async listParkings({ project }) {
      const parkings = await reads.listParkings(project);
      const workers = await Promise.all(
        parkings.map((it) => reads.findWorker(project, it.workerId)),
      );
      return {
        items: parkings.map((it, at) => ({
          engine: it.engine,
          account: it.account,
          worker: it.workerId,
          worker_name: workers[at]?.worker.name ?? null,
          until: isoOf(it.untilMs),
          reason: it.reason,
        })),
      };
    },

    async listBudgets({ project, query }) {
      const run =
        query.run === undefined ? undefined : await resolveId(reads, 'runs', project, query.run);
      return { items: (await reads.listBudgets(project, run)).map(budgetView) };
    },

    async setBudget(call) {
      const id = await setBudget(call, call.body);
      return budgetView(found(await reads.findBudget(id), 'budget', call.params.id));
    },

    async removeBudget(call) {
      const { id } = await ownerOf(call);
      if ((await reads.findBudget(id)) === undefined) throw notFound('budget', call.params.id);
      await setBudget(call, { usd: null });
      return undefined;
    },
  };
}

function limitView({ limit, running, holders }: LimitRead, nowMs: number): Limit {
  const nextMs = Math.ceil(nextStartMs(limit));
  return {
    key: limit.key,
    max_running: limit.maxRunning,
    rate_per_minute: limit.ratePerMinute,
    burst: limit.burst,
    running,
    holders: holders.map((it) => ({
      task: publicTaskId(it.taskId),
      key: it.taskKey,
      run: it.runId,
      attempt: it.attemptId,
    })),
    next_start_at: nextMs > nowMs ? isoOf(nextMs) : null,
    updated_at: isoOf(limit.updatedAtMs),
  };
}

function budgetView(budget: BudgetRow): Budget {
  return {
    scope: budget.scope,
    id: budget.scope === 'task' ? publicTaskId(budget.id) : budget.id,
    limit_usd: decimalUsd(budget.limitMicros),
    spent_usd: decimalUsd(budget.spentMicros),
    reserved_usd: decimalUsd(budget.reservedMicros),
    reserve_usd: decimalUsd(budget.reserveMicros),
    warned: budget.warned,
    exhausted: budget.spentMicros >= budget.limitMicros,
  };
}
