import type { App } from '../app.ts';
import type { Principal } from '../auth/principal.ts';

/**
 * Fires when a stream must end: the client has gone, the server stops, or the credential it was opened
 * with was taken back, here or, perhaps, at another replica.
 */
export function streamSignal(
  app: Pick<App, 'stopping' | 'revocations'>,
  call: { readonly signal: AbortSignal; readonly principal: Principal | null },
): AbortSignal {
  const revoked = new AbortController();
  const { principal } = call;
  if (principal !== null) {
    const id = principal.kind === 'user' ? principal.session : principal.id;
    const end = (): void => revoked.abort();
    const unsubscribes = [
      app.revocations.onRevoked(id, end),
      // Its reader comes back and shows its credential again.
      app.revocations.onDoubt(end),
    ];
    const unsubscribe = (): void => {
      for (const it of unsubscribes) it();
    };
    for (const signal of [call.signal, revoked.signal]) {
      signal.addEventListener('abort', unsubscribe, { once: true });
    }
  }
  return AbortSignal.any([call.signal, app.stopping, revoked.signal]);
}
