import type { Run } from '@baton/contract';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client.ts';
import { useFeed } from '../live/feed-context.ts';
import { keys, type RunFilter } from './keys.ts';

const ACTIVE = ['planning', 'running', 'waiting', 'paused', 'cancelling'];
const EVENTS_PER_PAGE = 500;

/** Runs, newest first, page by page. */
export function useRuns(filter: RunFilter) {
  return useInfiniteQuery({
    queryKey: keys.runList(filter),
    queryFn: ({ pageParam }) =>
      client.runs.list({
        ...(filter.status === '' ? {} : { status: statusesOf(filter.status) }),
        ...(filter.text === '' ? {} : { text: filter.text }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

function statusesOf(status: string): string[] {
  return status === 'active' ? ACTIVE : [status];
}

/** A run with its tasks and edges, brought up to the newest event that has come in. */
export function useRunGraph(run: string) {
  const feed = useFeed();
  return useQuery({
    queryKey: keys.runGraph(run),
    queryFn: async () => feed.replay(await client.runs.graph(run)),
  });
}

/** A run's history, oldest first, page by page. */
export function useRunEvents(run: string) {
  return useInfiniteQuery({
    queryKey: keys.runEvents(run),
    queryFn: ({ pageParam }) =>
      client.call('listRunEvents', {
        params: { id: run },
        query: {
          limit: EVENTS_PER_PAGE,
          ...(pageParam === undefined ? {} : { cursor: pageParam }),
        },
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Cancels a run. */
export function useCancelRun() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ run, reason }: { readonly run: string; readonly reason: string }) =>
      client.runs.cancel(run, reason === '' ? undefined : reason),
    onSuccess: (run: Run) => cache.invalidateQueries({ queryKey: keys.run(run.id) }),
  });
}

/** Suspends a run. */
export function usePauseRun() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ run, reason }: { readonly run: string; readonly reason: string }) =>
      client.runs.pause(run, reason === '' ? undefined : reason),
    onSuccess: (run: Run) => cache.invalidateQueries({ queryKey: keys.run(run.id) }),
  });
}

/** Lets a paused run go on. */
export function useResumeRun() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ run }: { readonly run: string }) => client.runs.resume(run),
    onSuccess: (run: Run) => cache.invalidateQueries({ queryKey: keys.run(run.id) }),
  });
}
