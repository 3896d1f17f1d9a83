import type { Principal } from '../auth/principal.ts';

/** Through what a person decided: what the client says, else by the kind of its credential. */
export function viaOf(principal: Principal, said?: string): string {
  return said ?? (principal.kind === 'user' ? 'dashboard' : 'api');
}

/** The reason stored with a refusal; the dashboard gives one where the person gave none. */
export function rejectionReason(
  principal: Principal,
  reason: string | undefined,
): string | undefined {
  const given = reason?.trim() ?? '';
  if (given !== '') return given;
  return principal.kind === 'user' ? 'rejected from dashboard' : undefined;
}
