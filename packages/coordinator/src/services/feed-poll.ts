import type { FeedHead } from '@baton/store';
import type { FeedFollower } from '../replicas/feed-follower.ts';
import type { Reconciler } from '../service.ts';
import type { ServicePorts } from './ports.ts';
import { createReconciler } from './reconciler.ts';

/** While hints come, looking is only the floor. */
const hintedMs = 5_000;
/** Without them it is all there is. */
const unhintedMs = 250;

interface Settings {
  readonly follower: FeedFollower;
  readonly isHinted: () => boolean;
  /** Told where the feed ends now. */
  readonly learn: (head: FeedHead) => void;
}

/** Looks how far the feed goes, and has what other replicas committed told here. */
export function createFeedPoll(ports: ServicePorts, settings: Settings): Reconciler {
  const { follower, isHinted, learn } = settings;
  return createReconciler({
    name: 'feed-poll',
    intervalMs: () => (isHinted() ? hintedMs : unhintedMs),
    ports,
    async runOnce() {
      const before = follower.pos;
      const head = await ports.store.feedHead();
      learn(head);
      // Commits that were told are there no more: the database was put back under us.
      if (head.pos < before) follower.begin(head.pos);
      await follower.reaches(head.pos);
      return follower.pos - before;
    },
  });
}
