import { useEffect } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { paths } from '../../paths.ts';
import { shortId } from '../../model/format.ts';
import { useInbox } from '../../queries/checkpoints.ts';
import { useRuns } from '../../queries/runs.ts';
import { S } from '../../strings.ts';
import { Command } from '../../ui/copy.tsx';
import { Empty, Skeleton } from '../../ui/empty.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { CheckpointCallout } from '../checkpoint-callout.tsx';
import './inbox.css';

/** Everything that waits for a person, what holds up most first. */
export function InboxPage() {
  const inbox = useInbox();
  const items = inbox.data?.items;
  const goals = useActiveGoals();
  useEffect(() => {
    document.title = `${S.inbox.title} – ${S.product}`;
  }, []);
  return (
    <>
      <header className="room-head">
        <h1>{S.inbox.title}</h1>
      </header>
      <div className="room-scroll">
        {inbox.isError && items === undefined && (
          <div className="room-note">
            <ProblemNote problem={problemFrom(inbox.error)} onRetry={() => void inbox.refetch()} />
          </div>
        )}
        {items === undefined && !inbox.isError && <Skeleton rows={3} height={120} />}
        {items?.length === 0 && (
          <Empty title={S.inbox.emptyTitle}>
            <p>{S.inbox.emptyText}</p>
            <Command text={S.inbox.emptyCommand} />
          </Empty>
        )}
        <ul className="inbox">
          {items?.map((item) => (
            <li key={item.id} data-row>
              <p className="inbox-where">
                <a href={paths.run(item.run, item.task === null ? {} : { task: item.task })}>
                  {item.task_key ?? shortId(item.run)}
                </a>
                <span className="muted"> in {goals.get(item.run) ?? shortId(item.run)}</span>
              </p>
              <CheckpointCallout checkpoint={item} />
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

const ACTIVE = { status: 'active', text: '' } as const;

/** What the active runs are for, by their ids. */
function useActiveGoals(): ReadonlyMap<string, string> {
  const runs = useRuns(ACTIVE).data?.pages.flatMap((page) => page.items) ?? [];
  return new Map(runs.filter(({ goal }) => goal !== '').map(({ id, goal }) => [id, goal]));
}
