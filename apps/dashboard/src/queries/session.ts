import { useMutation, useQuery } from '@tanstack/react-query';
import { client } from '../api/client.ts';
import type { Scopes } from '../model/actions.ts';
import { keys } from './keys.ts';

/** Who is logged in, and what they may do. */
export function useSession() {
  return useQuery({ queryKey: keys.session, queryFn: () => client.call('me'), retry: false });
}

/** What the caller may do; undefined until known. */
export function useScopes(): Scopes {
  return useSession().data?.scopes;
}

/** Trades a one-time code for a session cookie. */
export function login(code: string): Promise<{ readonly user: string; readonly project: string }> {
  return client.call('login', { body: { code } });
}

/** Ends the session. */
export function useLogout(onDone: () => void) {
  return useMutation({ mutationFn: () => client.call('logout'), onSettled: onDone });
}
