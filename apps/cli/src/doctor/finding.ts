import type { Context } from '../context.ts';

/** What a check found. `fix` is what to type or do where something is wrong. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'warn' | 'fail';
  readonly text: string;
  readonly fix?: string | undefined;
}

/** One thing that `baton doctor` looks at. Never throws: a check that cannot be made says so. */
export interface Check {
  readonly name: string;
  readonly look: (context: Context) => Promise<Finding>;
}
