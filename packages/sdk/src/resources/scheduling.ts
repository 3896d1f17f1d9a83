import type { Budget, Limit, Parking } from '@baton/contract';
import type { CallBody } from '../call-types.ts';
import type { Calls } from '../calls.ts';

/** Who may start now: limits of keys, engines that a provider refuses, budgets. */
export interface SchedulingCalls {
  limits(): Promise<readonly Limit[]>;
  setLimit(key: string, body: CallBody<'setLimit'>): Promise<Limit>;
  removeLimit(key: string): Promise<void>;
  parkings(): Promise<readonly Parking[]>;
  /** Of the project, and of one run or of all. */
  budgets(run?: string): Promise<readonly Budget[]>;
  /** `id` of a project, run or task. */
  setBudget(id: string, body: CallBody<'setBudget'>): Promise<Budget>;
  removeBudget(id: string): Promise<void>;
}

export function schedulingCalls(calls: Calls): SchedulingCalls {
  return {
    limits: async () => (await calls.call('listLimits')).items,
    setLimit: (key, body) => calls.call('setLimit', { params: { key }, body }),
    removeLimit: (key) => calls.call('removeLimit', { params: { key } }),
    parkings: async () => (await calls.call('listParkings')).items,
    budgets: async (run) =>
      (await calls.call('listBudgets', run === undefined ? {} : { query: { run } })).items,
    setBudget: (id, body) => calls.call('setBudget', { params: { id }, body }),
    removeBudget: (id) => calls.call('removeBudget', { params: { id } }),
  };
}
