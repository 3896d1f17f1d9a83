import type { Profile } from '../profile.ts';
import type { Mutant } from '../sim.ts';

/** A deliberate defect, and the check that must find it within so many seeds. */
export interface MutantRow extends Mutant {
  /** What is wrong with it, in one clause. */
  readonly what: string;
  readonly caughtBy: string;
  /** Faults that bring it out. */
  readonly profile?: Partial<Profile>;
  /** Where to begin: it needs something that few seeds have. */
  readonly firstSeed?: number;
}
