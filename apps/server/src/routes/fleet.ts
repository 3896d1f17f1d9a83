import { WORKER_STATUSES, type Fleet, type WorkerStatus } from '@baton/contract';
import { fits, type HardNeeds } from '@baton/kernel';
import type { WorkerRead } from '@baton/store';
import type { App } from '../app.ts';
import { isAble, knownWorkers } from './known-workers.ts';

/** Is there somebody for the work that waits? */
export async function fleetOf(app: App, project: string): Promise<Fleet> {
  const [all, waiting] = await Promise.all([
    knownWorkers(app, project),
    app.reads.waitingNeeds(project),
  ]);
  const present = all.filter(({ status }) => status !== 'offline');
  const able = present.filter(isAble);
  const total = present.reduce((sum, { worker }) => sum + worker.slots, 0);
  const used = present.reduce((sum, { attempts }) => sum + attempts.length, 0);
  return {
    workers: countByStatus(all.map(({ status }) => status)),
    slots: { total, used, free: Math.max(0, total - used) },
    engines: engineCoverage(present),
    repos: count(present.flatMap(({ worker }) => worker.capabilities.repos.map((it) => it.name))),
    languages: count(present.flatMap(({ worker }) => worker.capabilities.languages)),
    uncovered: waiting
      .filter(({ needs }) => !able.some(({ worker }) => fits(needs, worker)))
      .map(({ needs, tasks }) => ({ need: describeNeeds(needs), tasks })),
  };
}

/** What is asked of a worker, in words. */
export function describeNeeds(needs: HardNeeds): string {
  const selector = needs.selector.map(({ key, op, values }) =>
    op === 'exists' ? `label ${key}` : `label ${key} ${op} ${values.join(', ')}`,
  );
  const parts = [
    needs.worker === null ? '' : `worker ${needs.worker}`,
    needs.engine === null ? '' : `engine ${needs.engine}`,
    needs.repo === null ? '' : `repo ${needs.repo}`,
    ...selector,
    ...needs.tools.map((tool) => `tool ${tool}`),
    needs.environment === null ? '' : `environment ${needs.environment}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'any agent engine' : parts.join(', ');
}

function countByStatus(statuses: readonly WorkerStatus[]): Record<WorkerStatus, number> {
  const counts = Object.fromEntries(WORKER_STATUSES.map((status) => [status, 0]));
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts as Record<WorkerStatus, number>;
}

function engineCoverage(present: readonly Pick<WorkerRead, 'worker'>[]): Fleet['engines'] {
  const engines = present.flatMap(({ worker }) => worker.capabilities.engines);
  const names = [...new Set(engines.map(({ name }) => name))].toSorted();
  return names.map((name) => {
    const same = engines.filter((engine) => engine.name === name);
    const authenticated = same.filter(({ auth }) => auth !== 'missing').length;
    return { name, workers: same.length, authenticated };
  });
}

function count(names: readonly string[]): { name: string; workers: number }[] {
  return [...new Set(names)]
    .toSorted()
    .map((name) => ({ name, workers: names.filter((it) => it === name).length }));
}
