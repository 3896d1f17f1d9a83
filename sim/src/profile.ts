import type { Rng } from './rng.ts';

/** What can go wrong, and how often. Every fault can be switched off, so that a failure can be narrowed. */
export interface Profile {
  /** Longest way to the database, one way; milliseconds. */
  readonly storeMsMax: number;
  /** Chances of each COMMIT. */
  readonly commitAborted: number;
  readonly commitUnknownApplied: number;
  readonly commitUnknownLost: number;
  readonly commitUnknownLate: number;
  /** A read or statement fails because its connection is lost. */
  readonly statementLost: number;
  /** Longest way of a message between worker or client and replica; milliseconds. */
  readonly messageMsMax: number;
  /** Requests and answers that never arrive, and that arrive twice. */
  readonly messageLost: number;
  readonly messageDoubled: number;
  /** The replica dies right before, or right after, a COMMIT. */
  readonly crashBeforeCommit: number;
  readonly crashAfterCommit: number;
  /** News that a replica has of its own commits does not reach its links. */
  readonly hintLost: number;
  /** What the nemesis does, by name. */
  readonly nemesis: readonly NemesisAct[];
  /** How workers behave. */
  readonly workers: readonly WorkerKind[];
}

export const NEMESIS_ACTS = [
  'crash_replica',
  'stall_replica',
  'stop_replica',
  'database_away',
  'clock_forward',
  'clock_back',
  'wall_jump',
  'cut_links',
  'blackout',
] as const;
export type NemesisAct = (typeof NEMESIS_ACTS)[number];

export const WORKER_KINDS = [
  'honest',
  'http',
  'slow',
  'paused',
  'zombie',
  'liar',
  'crash_looping',
] as const;
/** `quick`: has many slots and is done with each task at once; comes where much is to be done at once. */
export type WorkerKind = (typeof WORKER_KINDS)[number] | 'quick';

/** Nothing goes wrong. */
export const CALM: Profile = {
  storeMsMax: 2,
  commitAborted: 0,
  commitUnknownApplied: 0,
  commitUnknownLost: 0,
  commitUnknownLate: 0,
  statementLost: 0,
  messageMsMax: 10,
  messageLost: 0,
  messageDoubled: 0,
  crashBeforeCommit: 0,
  crashAfterCommit: 0,
  hintLost: 0,
  nemesis: [],
  workers: ['honest', 'http', 'honest'],
};

/** Chances at their strongest; a seed uses some of them. */
const FIERCE = {
  commitAborted: 0.05,
  commitUnknownApplied: 0.04,
  commitUnknownLost: 0.04,
  commitUnknownLate: 0.03,
  statementLost: 0.01,
  messageLost: 0.08,
  messageDoubled: 0.1,
  crashBeforeCommit: 0.005,
  crashAfterCommit: 0.005,
  hintLost: 0.2,
} as const;

/** A random subset of all faults: rare ones meet each other only when the others are silent. */
export function swarmProfile(rng: Rng): Profile {
  const some = <K extends keyof typeof FIERCE>(key: K): number =>
    rng.chance(0.5) ? FIERCE[key] * rng.between(0.2, 1) : 0;
  const others = WORKER_KINDS.filter((it) => it !== 'honest');
  return {
    storeMsMax: rng.pick([0, 2, 20, 400]),
    commitAborted: some('commitAborted'),
    commitUnknownApplied: some('commitUnknownApplied'),
    commitUnknownLost: some('commitUnknownLost'),
    commitUnknownLate: some('commitUnknownLate'),
    statementLost: some('statementLost'),
    messageMsMax: rng.pick([1, 30, 3_000]),
    messageLost: some('messageLost'),
    messageDoubled: some('messageDoubled'),
    crashBeforeCommit: some('crashBeforeCommit'),
    crashAfterCommit: some('crashAfterCommit'),
    hintLost: some('hintLost'),
    nemesis: NEMESIS_ACTS.filter(() => rng.chance(0.4)),
    workers: ['honest', ...Array.from({ length: 1 + rng.int(4) }, () => rng.pick(others))],
  };
}

/** Switches of one fault, for narrowing a failure down. */
export const CALMERS: { readonly [name: string]: (profile: Profile) => Profile } = {
  ...Object.fromEntries(
    Object.keys(FIERCE).map((key) => [key, (it: Profile): Profile => ({ ...it, [key]: 0 })]),
  ),
  storeMsMax: (it) => ({ ...it, storeMsMax: 2 }),
  messageMsMax: (it) => ({ ...it, messageMsMax: 10 }),
  workers: (it) => ({
    ...it,
    workers: it.workers.filter((kind) => kind === 'honest' || kind === 'quick'),
  }),
};
