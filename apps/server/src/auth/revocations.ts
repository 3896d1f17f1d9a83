import type { Coordinator } from '@baton/coordinator';

/** Tells open streams and links that a credential was taken back, so that they end at once. */
export interface Revocations {
  /** Calls back when the principal with this id is revoked. Answers the function that ends it. */
  onRevoked(principal: string, listener: () => void): () => void;
  /** Of this replica and, unless the hint is lost, of all others. */
  revoke(principal: string): void;
  /** Calls back when revocations elsewhere may have been missed. Answers the function that ends it. */
  onDoubt(listener: () => void): () => void;
}

type Elsewhere = Pick<Coordinator, 'tellRevoked' | 'onRevoked'>;

/** Nothing is revoked at first. */
export function createRevocations(elsewhere: Elsewhere): Revocations {
  const doubting = new Set<() => void>();
  const waiting = new Map<string, Set<() => void>>();
  const end = (principal: string): void => {
    for (const listener of [...(waiting.get(principal) ?? [])]) listener();
  };
  elsewhere.onRevoked((principal) => {
    if (principal !== undefined) end(principal);
    else for (const listener of [...doubting]) listener();
  });
  return {
    onRevoked(principal, listener) {
      const listeners = waiting.get(principal) ?? new Set();
      waiting.set(principal, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && waiting.get(principal) === listeners) waiting.delete(principal);
      };
    },
    revoke(principal) {
      end(principal);
      elsewhere.tellRevoked(principal);
    },
    onDoubt(listener) {
      doubting.add(listener);
      return () => doubting.delete(listener);
    },
  };
}
