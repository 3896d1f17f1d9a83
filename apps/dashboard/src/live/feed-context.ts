import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Feed, FeedState } from './feed.ts';

/** The page's one feed. */
export const FeedContext = createContext<Feed | undefined>(undefined);

export function useFeed(): Feed {
  const feed = useContext(FeedContext);
  if (feed === undefined) throw new Error('no feed around this component');
  return feed;
}

/** Whether what is shown is live, and what is new. */
export function useFeedState(): FeedState {
  const feed = useFeed();
  return useSyncExternalStore(feed.subscribe, feed.state);
}
