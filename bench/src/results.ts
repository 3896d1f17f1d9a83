import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GrowthFigures } from './growth.ts';
import type { LifecycleFigures } from './lifecycle.ts';
import type { PeerFigures } from './peers/peer.ts';
import type { Summary } from './stats.ts';

/** Everything that is measured; a part is missing until it was. Lists hold one value a round. */
export interface Results {
  readonly lifecycles?: {
    readonly rounds: number;
    readonly count: number;
    readonly postgres: readonly LifecycleFigures[];
    readonly pglite: readonly LifecycleFigures[];
    readonly floor: readonly number[];
    readonly peers: readonly (readonly PeerFigures[])[];
  };
  readonly dispatch?: {
    readonly postgres: Summary;
    readonly pglite: Summary;
    /** On PostgreSQL, each task after a pause. */
    readonly afterPause?: Summary;
  };
  readonly shapes?: {
    readonly leaves: number;
    readonly fanOutMs: { readonly postgres: number; readonly pglite: number };
    readonly fanInPerSecond: number;
    readonly chainStepsPerSecond: number;
  };
  readonly growth?: readonly GrowthFigures[];
  readonly start?: Summary;
}

const file = fileURLToPath(new URL('../../.cache/bench/results.json', import.meta.url));

/** What was measured before on this machine; nothing at first. */
export function readResults(): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

/** Keeps what was measured, so that one part can be measured again without the others. */
export function keepResults(results: Results): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
}
