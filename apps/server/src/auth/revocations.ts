/** Tells open streams and links that a credential was taken back, so that they end at once. */
export interface Revocations {
  /** Calls back when the principal with this id is revoked. Answers the function that ends it. */
  onRevoked(principal: string, listener: () => void): () => void;
  revoke(principal: string): void;
}

export function createRevocations(): Revocations {
  const waiting = new Map<string, Set<() => void>>();
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
      for (const listener of [...(waiting.get(principal) ?? [])]) listener();
    },
  };
}
