import type { CommittedEvent } from '@baton/coordinator';
import type { EventRead } from '@baton/store';
import { expect, test } from 'vitest';
import { createEventHub } from './event-hub.ts';

type Told = Pick<CommittedEvent, 'type'> & Partial<CommittedEvent>;

/** A hub on a feed in memory; `read` are the places behind which the database was asked. */
function setUp() {
  const stored: EventRead[] = [];
  const read: number[] = [];
  let tell: (events: readonly CommittedEvent[]) => void = () => undefined;
  const hub = createEventHub(
    {
      incarnation: () => 1,
      onCommitted(listener) {
        tell = listener;
        return () => undefined;
      },
    },
    {
      feedHead: () => Promise.resolve({ pos: stored.length, incarnation: 1, nowMs: 0 }),
      feedFloor: () => Promise.resolve(1),
      eventsAfter(_filter, pos, limit) {
        read.push(pos);
        return Promise.resolve(stored.slice(pos, pos + limit));
      },
    },
  );
  return {
    hub,
    read,
    stored,
    commit: (...events: readonly Told[]) => {
      const committed = events.map((event, index): CommittedEvent => {
        const pos = stored.length + 1 + index;
        return {
          projectId: 'prj_1',
          runId: null,
          runSeq: null,
          taskId: null,
          attemptId: null,
          actor: { kind: 'kernel', id: null, name: null },
          cause: null,
          atMs: 0,
          data: {},
          pos,
          cursor: `1.${pos}`,
          isOwn: true,
          ...event,
        };
      });
      stored.push(...committed.map((event) => ({ pos: event.pos, event })));
      tell(committed);
    },
    /** What a reader gets behind a place, and whether the database was asked for it. */
    behind: async (pos: number) => {
      const asked = read.length;
      const { events } = await hub.after({ project: 'prj_1' }, pos, 100);
      return { places: events.map((it) => it.pos), isRead: read.length > asked };
    },
  };
}

const ofRun = (runId: string, type: CommittedEvent['type'] = 'run.started'): Told => ({
  type,
  runId,
  runSeq: 1,
});
const other: Told = { type: 'worker.online' };
const never = new AbortController().signal;

test('what was told here is served from memory', async () => {
  const { commit, behind } = setUp();
  commit(other, other);
  commit(other);
  expect(await behind(1)).toEqual({ places: [2, 3], isRead: false });
});

test('once a run is to be purged, whoever marked it, memory has nothing of it', async () => {
  const { commit, behind } = setUp();
  commit(ofRun('run_1'), other);
  commit({ type: 'run.purged', data: { run: 'run_1' }, isOwn: false }, other);
  expect(await behind(0)).toEqual({ places: [1, 2, 3, 4], isRead: true });
  expect(await behind(2)).toEqual({ places: [3, 4], isRead: false });
  // The last process of it ends later; what it says then is blanked too.
  commit(other, ofRun('run_1', 'attempt.cancelled'), other);
  expect(await behind(4)).toEqual({ places: [5, 6, 7], isRead: true });
  expect(await behind(6)).toEqual({ places: [7], isRead: false });
});

test('the same holds for a task, and for what was marked before the start', async () => {
  const { hub, commit, behind } = setUp();
  commit(other);
  commit({ type: 'task.purged', data: { task: 'tsk_1' } });
  commit({ ...ofRun('run_2'), taskId: 'tsk_1' });
  expect((await behind(2)).isRead).toBe(true);
  commit(other);
  hub.neverKeep(['run_3']);
  commit(ofRun('run_3'), other);
  expect((await behind(4)).isRead).toBe(true);
  expect(await behind(5)).toEqual({ places: [6], isRead: false });
});

test('news that came before memory was dropped still wakes', async () => {
  const { hub, commit } = setUp();
  commit(other);
  hub.forget();
  expect(await hub.changed(0, 600_000, never)).toBe('news');
});

test('a database that was put back does not make its readers ask without end', async () => {
  const { hub, commit, stored, behind } = setUp();
  commit(other, other, other);
  hub.forget();
  stored.splice(1);
  expect(await behind(2)).toEqual({ places: [], isRead: false });
  expect(await hub.changed(2, 1, never)).toBe('silence');
});
