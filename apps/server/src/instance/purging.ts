import { createPurgeSweep, type Coordinator, type Log } from '@baton/coordinator';
import type { Db } from '@baton/store';
import type { Content } from '../content.ts';
import type { EventHub } from '../streams/event-hub.ts';

interface PurgingSettings {
  readonly db: Db;
  readonly log: Log;
  readonly content: Pick<Content, 'removeLoose' | 'settleAside'>;
  readonly coordinator: Pick<Coordinator, 'onCommitted'>;
  readonly events: Pick<EventHub, 'forget'>;
}

/** Events after which there may be something to take away: a mark, or the last process of one ending. */
const NEWS: ReadonlySet<string> = new Set(['run.purged', 'task.purged']);
const ENDS: ReadonlySet<string> = new Set([
  'attempt.cancelled',
  'attempt.timed_out',
  'attempt.released',
  'attempt.lost',
]);

/** Takes away what is purged, from now until it is stopped. */
export async function startPurging({
  db,
  log,
  content,
  coordinator,
  events,
}: PurgingSettings): Promise<{ readonly stop: () => Promise<void> }> {
  const sweep = createPurgeSweep({
    db,
    log,
    removeContent: ({ project, sha256 }, isLoose) => content.removeLoose(project, sha256, isLoose),
    settleAside: (isLoose) => content.settleAside(isLoose),
    onGone: () => events.forget(),
  });
  let isWaiting = false;
  const unsubscribe = coordinator.onCommitted((committed) => {
    // What another replica marked it takes away itself; should it die, the sweep finds it.
    if (committed[0]?.isOwn !== true) return;
    if (committed.some((it) => NEWS.has(it.type))) isWaiting = true;
    else if (!isWaiting || !committed.some((it) => ENDS.has(it.type))) return;
    sweep.nudge();
  });
  await sweep.start(new AbortController().signal);
  return {
    async stop() {
      unsubscribe();
      await sweep.stop();
    },
  };
}
