import { LIFE_ACTS } from './actors/life-acts.ts';
import { swarmProfile, type NemesisAct, type Profile } from './profile.ts';
import { createRng, type Rng } from './rng.ts';

/** What clients do. Numbers choose with what; the target is chosen among what there is at that time. */
export const CLIENT_ACTS = [
  'run',
  'run',
  'run',
  'poison',
  'task',
  'cancel_task',
  'cancel_run',
  'retry',
  'resolve',
  'resolve',
  'decide',
  'decide',
  'assign',
  'note',
  'progress',
  'add_edge',
  'remove_edge',
  'ask',
  'drain',
  'worker_crash',
  'crowd',
  ...LIFE_ACTS,
] as const;
export type ClientAct = (typeof CLIENT_ACTS)[number];

/** One thing that somebody outside does to the system, at an instant from the start. */
export type Act =
  | {
      readonly kind: 'client';
      readonly atMs: number;
      readonly what: ClientAct;
      readonly a: number;
      readonly b: number;
      /** Names the request: sent again under it when no answer came. Null: without a key. */
      readonly key: string | null;
    }
  | {
      readonly kind: 'nemesis';
      readonly atMs: number;
      readonly what: NemesisAct;
      readonly a: number;
      readonly ms: number;
    };

/** Everything a simulation is made of: the same plan, the same simulation. */
export interface SimPlan {
  readonly seed: string;
  readonly profile: Profile;
  readonly replicas: number;
  readonly acts: readonly Act[];
  /** How long it plays before everything heals, milliseconds. */
  readonly playMs?: number;
}

const playMs = 15 * 60_000;

/** The plan of a seed. */
export function planOf(seed: string): SimPlan {
  const rng = createRng(`plan ${seed}`);
  const profile = swarmProfile(rng.fork('profile'));
  const acts: Act[] = [
    ...clientActs(rng.fork('clients')),
    ...nemesisActs(rng.fork('nemesis'), profile),
  ];
  const plan: SimPlan = {
    seed,
    profile,
    replicas: rng.chance(0.8) ? 2 : 1,
    acts: acts.sort((a, b) => a.atMs - b.atMs),
  };
  const rush = rng.fork('rush');
  return rush.chance(0.25) ? rushed(rush, plan) : plan;
}

/** Acts by which a replica has to ask the database before each batch. */
const HOLDING: ReadonlySet<string> = new Set(['limit', 'budget']);

/**
 * Much to do at once, and nothing that holds it up: one batch follows the other, decided while the one
 * before is still under way.
 */
function rushed(rng: Rng, plan: SimPlan): SimPlan {
  const crowds = Array.from({ length: 3 + rng.int(4) }, () => ({
    kind: 'client' as const,
    atMs: 20_000 + rng.int(playMs / 2),
    what: 'crowd' as const,
    a: rng.int(100_000),
    b: 10 + rng.int(30),
    key: null,
  }));
  const acts = plan.acts.filter((it) => it.kind !== 'client' || !HOLDING.has(it.what));
  const { profile } = plan;
  return {
    ...plan,
    replicas: rng.chance(0.5) ? 1 : plan.replicas,
    acts: [...acts, ...crowds].sort((a, b) => a.atMs - b.atMs),
    profile: {
      ...profile,
      storeMsMax: rng.pick([20, 100]),
      commitUnknownLate: rng.pick([0, 0.1]),
      workers: [...profile.workers.slice(0, 2), 'quick', 'quick'],
    },
  };
}

/** Crowds are many tasks: they come in few seeds, and then at the same time. */
const SINGLE_ACTS = CLIENT_ACTS.filter((it) => it !== 'crowd');

function clientActs(rng: Rng): Act[] {
  const count = 20 + rng.int(100);
  const acts: Act[] = Array.from({ length: count }, (_, index) => ({
    kind: 'client' as const,
    atMs: Math.floor(rng.next() ** 1.5 * playMs),
    what: rng.pick(SINGLE_ACTS),
    a: rng.int(100_000),
    b: rng.int(100_000),
    key: rng.chance(0.6) ? `k${index}` : null,
  }));
  if (!rng.chance(0.25)) return acts;
  const atMs = rng.int(playMs / 2);
  const crowds = [28, 14, 1, 1, 2].map((size) => ({
    kind: 'client' as const,
    atMs: atMs + rng.int(size > 2 ? 5_000 : 60_000),
    what: 'crowd' as const,
    a: rng.int(100_000),
    b: size,
    key: null,
  }));
  return [...acts, ...crowds];
}

function nemesisActs(rng: Rng, profile: Profile): Act[] {
  const { nemesis } = profile;
  if (nemesis.length === 0) return [];
  return Array.from({ length: 1 + rng.int(10) }, () => ({
    kind: 'nemesis' as const,
    atMs: rng.int(playMs),
    what: rng.pick(nemesis),
    a: rng.int(100_000),
    ms: Math.floor(rng.next() ** 2 * 300_000),
  }));
}
