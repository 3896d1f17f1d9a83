import type { Task } from '@baton/contract';
import type { World } from './world.ts';

/** Why a task is where it is, and who may take it, by a fleet of three. */
export function explain(world: World, task: Task) {
  const waits = world.edges
    .filter((edge) => edge.downstream === task.id && !edge.satisfied)
    .map((edge) => ({
      task: edge.upstream,
      key: edge.upstream_key,
      status: world.tasks.get(edge.upstream)?.status ?? 'blocked',
      type: edge.type,
    }));
  return {
    task: task.id,
    status: task.status,
    sentence:
      waits.length > 0
        ? `Waits for ${waits.map(({ key }) => key).join(', ')}.`
        : `It is ${task.status}.`,
    next: waits.length > 0 ? 'It becomes ready when all of them have completed.' : null,
    waits_for: waits,
    holds: [],
    engine: task.spec.needs.engine ?? null,
    candidates: [
      {
        worker: 'wrk_1',
        name: 'lathe',
        eligible: true,
        score: 225,
        parts: { repo: 100, language: 50, free_slots: 50, warm_repo: 25 },
        disqualified: [],
      },
      {
        worker: 'wrk_2',
        name: 'drill',
        eligible: true,
        score: 75,
        parts: { language: 50, free_slots: 25 },
        disqualified: [],
      },
      {
        worker: 'wrk_3',
        name: 'press',
        eligible: false,
        score: null,
        parts: {},
        disqualified: ['offline since 2 h', 'does not advertise the repo gateway'],
      },
    ],
    winner: 'lathe',
    facts: { priority: task.spec.priority },
  };
}
