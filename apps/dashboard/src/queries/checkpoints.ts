import type { CheckpointResolve } from '@baton/contract';
import type { CallReply } from '@baton/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client.ts';
import { keys } from './keys.ts';

/** A checkpoint of the inbox, with the number of tasks that wait behind it. */
export type InboxItem = CallReply<'listCheckpoints'>['items'][number];

const INBOX_ITEMS_MAX = 200;

/** What waits for a person, what holds up most first. */
export function useInbox() {
  return useQuery({
    queryKey: keys.inbox,
    queryFn: () => client.checkpoints.list({ status: 'open', limit: INBOX_ITEMS_MAX }),
  });
}

/** Open checkpoints of one run. */
export function useOpenCheckpoints(run: string): readonly InboxItem[] {
  return useInbox().data?.items.filter((item) => item.run === run) ?? [];
}

interface Decide {
  readonly checkpoint: string;
  readonly run: string;
  readonly decision: CheckpointResolve;
}

/** Decides a checkpoint. One decision wins; the loser learns which. */
export function useDecide() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ checkpoint, decision }: Decide) => {
      // What this page shows is what is decided.
      const shown = cache
        .getQueryData<CallReply<'listCheckpoints'>>(keys.inbox)
        ?.items.find(({ id }) => id === checkpoint);
      const facts = shown?.facts_sha256;
      return client.checkpoints.resolve(checkpoint, {
        ...decision,
        via: 'dashboard',
        ...(typeof facts === 'string' ? { facts_sha256: facts } : {}),
      });
    },
    onSettled: async (_data, _error, { run }) => {
      await Promise.all([
        cache.invalidateQueries({ queryKey: keys.checkpoints }),
        cache.invalidateQueries({ queryKey: keys.run(run) }),
      ]);
    },
  });
}
