import type { AttemptArtifact, AttemptComplete, AttemptFail } from '@baton/contract';

/** How an attempt ended, as it is told to the control plane. */
export type Report =
  | { readonly kind: 'complete'; readonly body: Omit<AttemptComplete, 'epoch'> }
  | { readonly kind: 'fail'; readonly body: Omit<AttemptFail, 'epoch'> }
  | { readonly kind: 'release'; readonly reason: string };

/** A file that belongs to a report, and how it is announced. */
export interface PendingUpload {
  readonly path: string;
  readonly about: Pick<AttemptArtifact, 'name' | 'kind' | 'media_type' | 'meta'>;
}

/** A report that waits to be told, with what has to be there before it. */
export interface PendingReport {
  /** Which run of the agent it tells of. */
  readonly turn: number;
  readonly report: Report;
  readonly uploads: readonly PendingUpload[];
}
