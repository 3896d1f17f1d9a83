import type { CommittedEvent } from '../coordinator.ts';
import { createFeedPoll } from '../services/feed-poll.ts';
import type { ServicePorts } from '../services/ports.ts';
import { createWorkNews, type WorkNewsSettings } from '../services/work-news.ts';
import type { Service } from '../service.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';
import { createFeedFollower } from './feed-follower.ts';
import { createHints } from './hints.ts';

interface OthersSettings {
  readonly ports: ServicePorts;
  readonly store: Pick<CoordinatorStore, 'readFeed' | 'openHints'>;
  readonly work: WorkNewsSettings;
  readonly instance?: string | undefined;
  readonly incarnation: () => number;
  readonly learnIncarnation: (incarnation: number) => void;
  /** Every event of the feed, once and in order. */
  readonly tell: (events: readonly CommittedEvent[]) => void;
  /** Another replica wrote output of this attempt. */
  readonly wroteElsewhere: (attempt: string) => void;
  /** Another replica took this credential back; undefined: it may have taken back any. */
  readonly revokedElsewhere: (principal: string | undefined) => void;
}

/** The other replicas on the same database, as far as this one hears of them. */
export interface Others {
  /** Everything up to here is over and done with. */
  begin(pos: number): void;
  /** This replica committed these. `then` is called once they were told. */
  committed(events: readonly CommittedEvent[], then: () => void): void;
  readonly wrote: (attempt: string) => void;
  readonly revoked: (principal: string) => void;
  /** There are others, or may be: memory alone says nothing for certain. */
  readonly mayBe: boolean;
  readonly services: readonly Service[];
  stop(): Promise<void>;
}

/** Puts together what follows the feed, what says that there is something new, and what looks now and then. */
export function createOthers(settings: OthersSettings): Others {
  const { ports, store, tell } = settings;
  const { readFeed, openHints } = store;
  const { runtime, log } = ports;
  const hints = createHints({ openHints, runtime, log, instance: settings.instance });
  const workNews = createWorkNews(ports, settings.work);
  const follower =
    readFeed &&
    createFeedFollower({
      readFeed,
      runtime,
      log,
      incarnation: settings.incarnation,
      tell(events) {
        tell(events);
        if (events[0]?.isOwn === false) workNews.take(events);
      },
    });

  function services(): readonly Service[] {
    if (openHints === undefined || follower === undefined) return [];
    const poll = createFeedPoll(ports, {
      follower,
      isHinted: () => hints.isHealthy,
      learn: ({ incarnation }) => settings.learnIncarnation(incarnation),
    });
    let wasHealthy = false;
    hints.turned((isHealthy) => {
      poll.nudge();
      if (isHealthy && wasHealthy) settings.revokedElsewhere(undefined);
      wasHealthy ||= isHealthy;
    });
    hints.heard(({ pos, logs = [], revoked = [] }) => {
      void follower.reaches(pos);
      for (const attempt of logs) settings.wroteElsewhere(attempt);
      for (const principal of revoked) settings.revokedElsewhere(principal);
    });
    return [hints, poll, workNews];
  }

  return {
    begin(pos) {
      follower?.begin(pos);
      hints.reached(pos);
    },
    committed(events, then) {
      const last = events.at(-1)?.pos ?? 0;
      if (follower === undefined) {
        tell(events);
        then();
      } else {
        follower.committed(events);
        follower.whenTold(last, then);
      }
      hints.reached(last);
    },
    wrote: (attempt) => hints.wrote(attempt),
    revoked: (principal) => hints.revoked(principal),
    mayBe: openHints !== undefined,
    services: services(),
    stop: async () => follower?.stop(),
  };
}
