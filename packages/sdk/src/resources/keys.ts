import type { ApiKey } from '@baton/contract';
import type { CallBody, CallReply } from '../call-types.ts';
import type { Calls } from '../calls.ts';
import type { Page } from '../paging.ts';

/** API keys, login links, and who the caller is. */
export interface KeyCalls {
  me(): Promise<CallReply<'me'>>;
  list(): Promise<Page<ApiKey>>;
  /** The key itself is in the answer, this once. */
  create(body: CallBody<'createApiKey'>): Promise<CallReply<'createApiKey'>>;
  revoke(id: string): Promise<void>;
  loginLink(): Promise<CallReply<'createLoginLink'>>;
}

export function keyCalls(calls: Calls): KeyCalls {
  return {
    me: () => calls.call('me'),
    list: () => calls.call('listApiKeys'),
    create: (body) => calls.call('createApiKey', { body }),
    revoke: (id) => calls.call('revokeApiKey', { params: { id } }),
    loginLink: () => calls.call('createLoginLink', { body: {} }),
  };
}
