import type { Event, Run, RunGraph } from '@baton/contract';
import type { Client, Page } from '@baton/sdk';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { keys } from '../queries/keys.ts';
import { applyEvents, runAfter } from './apply-events.ts';
import type { Coalescer } from './coalesce.ts';

/** Puts events into the query cache. */
export interface CacheWriter {
  readonly write: (event: Event) => void;
}

type Pages<T> = InfiniteData<Page<T>, unknown>;

/** Waits in milliseconds before facts that events do not carry are asked for. */
const WAIT = {
  checkpoints: 80,
  task: 250,
  run: 400,
  graph: 400,
  graphPerTask: 0.5,
  explain: 1_000,
};

/** Events that say all there is to say: nothing more needs asking for. */
const COMPLETE: ReadonlySet<Event['type']> = new Set([
  'task.progressed',
  'task.note_added',
  'attempt.claimed',
  'attempt.started',
  'artifact.added',
]);

export function createCacheWriter(
  client: Pick<Client, 'runs'>,
  cache: QueryClient,
  coalescer: Coalescer,
): CacheWriter {
  function patchRun(run: string, event: Event): void {
    cache.setQueryData<RunGraph>(keys.runGraph(run), (graph) =>
      graph === undefined ? graph : applyEvents(graph, [event]),
    );
    cache.setQueryData<Pages<Event>>(keys.runEvents(run), (pages) => appended(pages, event));
    patchLists(run, (row) => runAfter(row, event));
    if (COMPLETE.has(event.type)) return;
    coalescer.soon(`run ${run}`, WAIT.run, () => void refreshRow(run));
    const tasks = cache.getQueryData<RunGraph>(keys.runGraph(run))?.tasks.length;
    if (tasks === undefined) return;
    coalescer.soon(`graph ${run}`, WAIT.graph + tasks * WAIT.graphPerTask, () => {
      void cache.invalidateQueries({ queryKey: keys.runGraph(run) });
    });
  }

  function patchLists(run: string, change: (row: Run) => Run): void {
    cache.setQueriesData<Pages<Run>>({ queryKey: keys.runLists }, (pages) =>
      pages === undefined ? pages : mapItems(pages, (row) => (row.id === run ? change(row) : row)),
    );
  }

  async function refreshRow(run: string): Promise<void> {
    if (!isListed(run)) return;
    const fresh = await client.runs.get(run).catch(() => undefined);
    if (fresh !== undefined) patchLists(run, () => fresh);
  }

  function isListed(run: string): boolean {
    return cache
      .getQueriesData<Pages<Run>>({ queryKey: keys.runLists })
      .some(([, pages]) => pages?.pages.some(({ items }) => items.some(({ id }) => id === run)));
  }

  function isListEmpty(): boolean {
    return cache
      .getQueriesData<Pages<Run>>({ queryKey: keys.runLists })
      .some(([, pages]) => pages?.pages.every(({ items }) => items.length === 0));
  }

  return {
    write(event) {
      if (event.run !== null) patchRun(event.run, event);
      if (event.type === 'run.created' && isListEmpty()) {
        // Nothing is there that could jump.
        void cache.invalidateQueries({ queryKey: keys.runLists });
      }
      if (event.type.startsWith('checkpoint.')) {
        coalescer.soon('checkpoints', WAIT.checkpoints, () => {
          void cache.invalidateQueries({ queryKey: keys.checkpoints });
        });
      }
      const { task } = event;
      if (task !== null && event.type !== 'task.progressed') {
        coalescer.soon(`task ${task}`, WAIT.task, () => {
          void cache.invalidateQueries({ queryKey: keys.task(task) });
        });
      }
      if (event.type.startsWith('worker.')) {
        coalescer.soon('explain', WAIT.explain, () => {
          void cache.invalidateQueries({
            predicate: ({ queryKey }) => queryKey[0] === 'tasks' && queryKey[2] === 'explain',
          });
        });
      }
    },
  };
}

function mapItems<T>(pages: Pages<T>, change: (item: T) => T): Pages<T> {
  return {
    ...pages,
    pages: pages.pages.map((page) => ({ ...page, items: page.items.map(change) })),
  };
}

/** Only behind the last page: before it, the event comes with its own page. */
function appended(pages: Pages<Event> | undefined, event: Event): Pages<Event> | undefined {
  const last = pages?.pages.at(-1);
  if (pages === undefined || last === undefined || last.next_cursor !== null) return pages;
  if (last.items.some(({ pos }) => pos >= event.pos)) return pages;
  const grown = { ...last, items: [...last.items, event] };
  return { ...pages, pages: [...pages.pages.slice(0, -1), grown] };
}
