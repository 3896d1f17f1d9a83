import { z } from 'zod';
import { anyId } from '../ids.ts';
import { budget, budgetSet, concurrencyKey, limit, limitSet, parking } from '../scheduling.ts';
import { route } from './route.ts';
import { byId } from './shared.ts';

const byKey = z.strictObject({ key: concurrencyKey });
const one = { area: 'scheduling', kind: 'json', status: 200 } as const;

export const schedulingRoutes = {
  listLimits: route({
    ...one,
    method: 'GET',
    path: '/limits',
    summary: 'Limits of concurrency keys, and who counts against them now',
    permission: 'read',
    reply: z.object({ items: z.array(limit) }),
    errors: [],
  }),
  setLimit: route({
    ...one,
    method: 'PUT',
    path: '/limits/{key}',
    summary: 'Limit how many tasks of a key run at a time, or start a minute',
    permission: 'operate',
    params: byKey,
    body: limitSet,
    reply: limit,
    errors: ['limit_exceeded'],
  }),
  removeLimit: route({
    ...one,
    method: 'DELETE',
    path: '/limits/{key}',
    summary: 'Take a limit away',
    permission: 'operate',
    params: byKey,
    reply: null,
    kind: 'none',
    status: 204,
    errors: ['not_found'],
  }),
  listParkings: route({
    ...one,
    method: 'GET',
    path: '/parkings',
    summary: 'Engines that a provider refuses until its limit resets',
    permission: 'read',
    reply: z.object({ items: z.array(parking) }),
    errors: [],
  }),
  listBudgets: route({
    ...one,
    method: 'GET',
    path: '/budgets',
    summary: 'Budgets of the project, of a run and of its tasks, and where they stand',
    permission: 'read',
    query: z.strictObject({ run: anyId.optional() }),
    reply: z.object({ items: z.array(budget) }),
    errors: ['not_found', 'ambiguous'],
  }),
  setBudget: route({
    ...one,
    method: 'PUT',
    path: '/budgets/{id}',
    summary: 'Set or raise what a project, run or task may spend; what was paused for it goes on',
    permission: 'operate',
    params: byId,
    body: budgetSet,
    reply: budget,
    errors: ['not_found', 'ambiguous'],
  }),
  removeBudget: route({
    ...one,
    method: 'DELETE',
    path: '/budgets/{id}',
    summary: 'Take the budget of a project, run or task away',
    permission: 'operate',
    params: byId,
    reply: null,
    kind: 'none',
    status: 204,
    errors: ['not_found', 'ambiguous'],
  }),
};
