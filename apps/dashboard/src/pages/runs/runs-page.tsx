import type { Run } from '@baton/contract';
import { useEffect } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { useFeed, useFeedState } from '../../live/feed-context.ts';
import { useInbox, type InboxItem } from '../../queries/checkpoints.ts';
import type { RunFilter } from '../../queries/keys.ts';
import { useRuns } from '../../queries/runs.ts';
import { paths } from '../../paths.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Command } from '../../ui/copy.tsx';
import { Empty, Skeleton } from '../../ui/empty.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { RunFilterBar } from './run-filter-bar.tsx';
import { RunRow } from './run-row.tsx';
import './runs.css';

/** All runs, newest first; a run that waits carries its question. */
export function RunsPage({ filter }: { readonly filter: RunFilter }) {
  const runs = useRuns(filter);
  const inbox = useInbox().data?.items ?? [];
  const items = runs.data?.pages.flatMap((page) => page.items);
  useEffect(() => {
    document.title = `${S.runs.title} – ${S.product}`;
  }, []);
  return (
    <>
      <header className="room-head">
        <h1>{S.runs.title}</h1>
        <RunFilterBar filter={filter} />
      </header>
      <div className="room-scroll">
        <NewRuns shown={items ?? []} onShow={() => void runs.refetch()} />
        {runs.isError && items === undefined && (
          <div className="room-note">
            <ProblemNote problem={problemFrom(runs.error)} onRetry={() => void runs.refetch()} />
          </div>
        )}
        {items === undefined && !runs.isError && <Skeleton rows={6} height={58} />}
        {items !== undefined && <RunList items={items} inbox={inbox} filter={filter} />}
        {runs.hasNextPage && (
          <div className="runs-more">
            <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
              {S.action.more}
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

interface RunListProps {
  readonly items: readonly Run[];
  readonly inbox: readonly InboxItem[];
  readonly filter: RunFilter;
}

function RunList({ items, inbox, filter }: RunListProps) {
  if (items.length > 0) {
    return (
      <ul className="run-list">
        {items.map((run) => (
          <RunRow key={run.id} run={run} questions={inbox.filter((item) => item.run === run.id)} />
        ))}
      </ul>
    );
  }
  if (filter.status !== '' || filter.text !== '') {
    return (
      <Empty title={S.runs.nothingTitle}>
        <a href={paths.runs()}>{S.runs.clear}</a>
      </Empty>
    );
  }
  return (
    <Empty title={S.runs.emptyTitle}>
      <p>{S.runs.emptyText}</p>
      <Command text={S.runs.emptyCommand} />
      <p>{S.runs.emptyDemo}</p>
      <Command text={S.runs.emptyDemoCommand} />
    </Empty>
  );
}

interface NewRunsProps {
  readonly shown: readonly Run[];
  readonly onShow: () => void;
}

/** Runs that came since: told in a bar, so that no row moves under the pointer. */
function NewRuns({ shown, onShow }: NewRunsProps) {
  const feed = useFeed();
  const { newRuns } = useFeedState();
  const count = newRuns.filter((id) => !shown.some((run) => run.id === id)).length;
  if (count === 0) return null;
  return (
    <output className="runs-new">
      <Button
        onClick={() => {
          feed.forgetNewRuns();
          onShow();
        }}
      >
        {S.action.showNew(count)}
      </Button>
    </output>
  );
}
