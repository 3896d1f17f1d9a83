import type { AttemptComplete, AttemptFail } from '@baton/contract';

/** How an attempt ended, as it is told to the control plane. */
export type Report =
  | { readonly kind: 'complete'; readonly body: Omit<AttemptComplete, 'epoch'> }
  | { readonly kind: 'fail'; readonly body: Omit<AttemptFail, 'epoch'> }
  | { readonly kind: 'release'; readonly reason: string };
