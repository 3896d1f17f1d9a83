import type { Event, RunGraph } from '@baton/contract';
import { memo, useEffect, useMemo, useRef } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { actorText, eventText } from '../../model/event-text.ts';
import { paths, type RunSearch } from '../../paths.ts';
import { useRunEvents } from '../../queries/runs.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Skeleton } from '../../ui/empty.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { ClockTime } from '../../ui/time.tsx';

interface RunEventsProps {
  readonly graph: RunGraph;
  readonly search: RunSearch;
}

/** Everything that happened in a run, oldest first; new events appear at the end. */
export function RunEvents({ graph, search }: RunEventsProps) {
  const query = useRunEvents(graph.run.id);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const keyOf = useMemo(() => new Map(graph.tasks.map(({ id, key }) => [id, key])), [graph.tasks]);
  const nameOf = (task: string): string => keyOf.get(task) ?? task;
  const events = query.data?.pages.flatMap((page) => page.items);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const mark = end.current;
    if (mark === null || !hasNextPage) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting === true && !isFetchingNextPage) void fetchNextPage();
    });
    observer.observe(mark);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (query.isError && events === undefined) {
    return <ProblemNote problem={problemFrom(query.error)} onRetry={() => void query.refetch()} />;
  }
  if (events === undefined) return <Skeleton rows={8} />;
  return (
    <>
      <ol className="event-list">
        {events.map((event) => (
          <EventRow
            key={event.pos}
            event={event}
            nameOf={nameOf}
            taskKey={event.task === null ? undefined : (keyOf.get(event.task) ?? event.task)}
            href={
              event.task === null
                ? undefined
                : paths.run(graph.run.id, { ...search, tab: 'events', task: event.task })
            }
          />
        ))}
      </ol>
      <div ref={end} className="runs-more">
        {hasNextPage && <Button onClick={() => void fetchNextPage()}>{S.action.more}</Button>}
      </div>
    </>
  );
}

interface EventRowProps {
  readonly event: Event;
  readonly taskKey: string | undefined;
  readonly href: string | undefined;
  readonly nameOf: (task: string) => string;
}

const EventRow = memo(
  function EventRow({ event, taskKey, href, nameOf }: EventRowProps) {
    const text = eventText(event, nameOf);
    return (
      <li className="event-row" data-row>
        <span className="event-seq">{event.run_seq}</span>
        <ClockTime at={event.at} />
        <code className="event-type">{event.type}</code>
        <span className="event-task ellipsis">
          {href !== undefined && <a href={href}>{taskKey}</a>}
        </span>
        <span className="event-text ellipsis" title={text}>
          {text}
        </span>
        <span className="event-actor ellipsis">{actorText(event)}</span>
      </li>
    );
  },
  (a, b) => a.event === b.event && a.taskKey === b.taskKey && a.href === b.href,
);
