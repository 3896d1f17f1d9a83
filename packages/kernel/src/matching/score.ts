import type { TaskSpec } from '@baton/contract';
import type { WorkerRow } from '../rows.ts';
import { isSameRepo, normaliseRepo } from './repo-name.ts';

/** Points of each part of the score; `free_slots` is a share of its points. */
export const SCORE_POINTS = {
  repo: 100,
  languages: 50,
  free_slots: 50,
  warm: 25,
  made_an_input: 30,
  continues: 60,
} as const;

/** How well a worker suits a task, part by part; each between 0 and its points. */
export type ScoreParts = { readonly [P in keyof typeof SCORE_POINTS]: number };

export interface ScoreFacts {
  readonly spec: Pick<TaskSpec, 'needs' | 'workspace'>;
  readonly worker: Pick<WorkerRow, 'id' | 'capabilities' | 'slots' | 'warmRepos'>;
  readonly freeSlots: number;
  /** Workers that made what the task takes as input. */
  readonly inputMakers: readonly string[];
  /** The worker that has the workspace and conversation which the task goes on with, if it does. */
  readonly continuesOn: string | null;
}

/** The parts of the score that chooses between workers that all fit. */
export function scoreParts(facts: ScoreFacts): ScoreParts {
  const { spec, worker } = facts;
  const { repo, languages } = spec.needs;
  const other = spec.workspace?.repo;
  const speaks = languages?.some((wanted) =>
    worker.capabilities.languages.some((it) => it.toLowerCase() === wanted.toLowerCase()),
  );
  const share = worker.slots === 0 ? 0 : Math.max(0, facts.freeSlots) / worker.slots;
  return {
    repo: hasRepo(worker, repo) || hasRepo(worker, other) ? SCORE_POINTS.repo : 0,
    languages: speaks === true ? SCORE_POINTS.languages : 0,
    free_slots: Math.round(SCORE_POINTS.free_slots * Math.min(1, share)),
    warm: isWarm(worker, repo) || isWarm(worker, other) ? SCORE_POINTS.warm : 0,
    made_an_input: facts.inputMakers.includes(worker.id) ? SCORE_POINTS.made_an_input : 0,
    continues: facts.continuesOn === worker.id ? SCORE_POINTS.continues : 0,
  };
}

function hasRepo(worker: ScoreFacts['worker'], repo: string | undefined): boolean {
  return repo !== undefined && worker.capabilities.repos.some((own) => isSameRepo(repo, own));
}

function isWarm({ warmRepos }: ScoreFacts['worker'], repo: string | undefined): boolean {
  return repo !== undefined && warmRepos.includes(normaliseRepo(repo));
}

/** The score itself. */
export function totalScore(parts: ScoreParts): number {
  let sum = 0;
  for (const part of PARTS) sum += parts[part];
  return sum;
}

const PARTS = Object.keys(SCORE_POINTS) as readonly (keyof ScoreParts)[];
