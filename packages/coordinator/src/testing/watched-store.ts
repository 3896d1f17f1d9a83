import { StoreError } from '@baton/store';
import type { BatchWrites } from '../store/batch-store.ts';
import type { CoordinatorStore } from '../store/coordinator-store.ts';

/** A batch that was decided ahead, at the moment when it goes to the database. */
export type Meet = (write: () => Promise<unknown>) => Promise<void>;

/** A store where a test can step in between batches that are decided ahead and the database. */
export function watched(store: CoordinatorStore) {
  let meeting: { readonly type: string; readonly meet: Meet } | undefined;
  let before: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  let underWayMost = 0;
  const fates: string[] = [];
  const isAbout = ({ events }: BatchWrites) => events.some((it) => it.type === meeting?.type);
  return {
    /** What became of each: `committed`, or the kind of its failure. */
    fates,
    underWayMost: () => underWayMost,
    /** Calls `meet` with the next batch that tells an event of this type; its failure is the batch's. */
    meetNext(type: string, meet: Meet): void {
      meeting = { type, meet };
    },
    meetNone(): void {
      meeting = undefined;
    },
    store: {
      ...store,
      write(premises, writes) {
        const write = () => store.write(premises, writes);
        const meet = isAbout(writes) ? meeting?.meet : undefined;
        if (meet !== undefined) meeting = undefined;
        underWay += 1;
        underWayMost = Math.max(underWayMost, underWay);
        // They reach the database in the order they are given.
        const turn = before;
        const written = (async () => {
          await turn;
          if (meet !== undefined) await meet(write);
          return write();
        })();
        before = written.catch(() => undefined);
        void before.finally(() => (underWay -= 1));
        written.then(
          () => fates.push('committed'),
          (error: unknown) => fates.push(error instanceof StoreError ? error.kind : String(error)),
        );
        return written;
      },
    } satisfies CoordinatorStore,
  };
}
