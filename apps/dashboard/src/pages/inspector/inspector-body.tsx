import type { RunGraph, Task } from '@baton/contract';
import { lazy, Suspense } from 'react';
import { useLog, type Output } from '../../live/use-log.ts';
import { paths, type RunSearch, type TaskView } from '../../paths.ts';
import { useAttempts } from '../../queries/tasks.ts';
import { S } from '../../strings.ts';
import { Skeleton } from '../../ui/empty.tsx';
import { AttemptsView } from './views/attempts-view.tsx';
import { LiveView } from './views/live-view.tsx';
import { LogView } from './views/log-view.tsx';
import { ResultView } from './views/result-view.tsx';
import { WhyView } from './views/why-view.tsx';

const DiffView = lazy(() =>
  import('./views/diff-view.tsx').then((module) => ({ default: module.DiffView })),
);

interface InspectorBodyProps {
  readonly graph: RunGraph;
  readonly task: Task;
  readonly search: RunSearch;
  readonly view: TaskView;
}

/** What the chosen tab shows of a task. */
export function InspectorBody({ graph, task, search, view }: InspectorBodyProps) {
  switch (view) {
    case 'live':
    case 'log':
      return <OutputViews graph={graph} task={task} search={search} view={view} />;
    case 'diff':
      return (
        <Suspense fallback={<Skeleton rows={4} />}>
          <DiffView taskId={task.id} />
        </Suspense>
      );
    case 'result':
      return <ResultView task={task} />;
    case 'attempts':
      return <AttemptsView task={task} search={search} />;
    case 'why':
      return <WhyView graph={graph} task={task} search={search} />;
  }
}

/** Live and Log are two views of one stream: going from one to the other reads nothing anew. */
function OutputViews({ graph, task, search, view }: InspectorBodyProps) {
  const attempt = search.attempt ?? task.attempt;
  const output = useLog(task.id, attempt);
  const isOlder = search.attempt !== undefined && search.attempt !== task.attempt;
  if (attempt === null) return <p className="pane-note">{S.inspector.noAttempt}</p>;
  return (
    <>
      {isOlder && <OlderNote graph={graph} task={task} search={search} attempt={attempt} />}
      {view === 'live' && showsTranscript(output) ? (
        <LiveView output={output} />
      ) : (
        <LogView output={output} taskId={task.id} />
      )}
    </>
  );
}

/** A shell command speaks no agent's language: its plain output is what is live. */
function showsTranscript({ transcript, lines }: Output): boolean {
  const { session, entries } = transcript;
  const speaks = entries.some(({ kind }) => kind !== 'outcome' && kind !== 'notice');
  return speaks || session !== undefined || lines.length === 0;
}

interface OlderNoteProps {
  readonly graph: RunGraph;
  readonly task: Task;
  readonly search: RunSearch;
  readonly attempt: string;
}

function OlderNote({ graph, task, search, attempt }: OlderNoteProps) {
  const number = useAttempts(task.id).data?.items.find(({ id }) => id === attempt)?.number;
  return (
    <p className="pane-note">
      {S.inspector.olderAttempt(number ?? 0)}{' '}
      <a href={paths.run(graph.run.id, { ...search, attempt: undefined })} data-replace>
        {S.inspector.showNewest}
      </a>
    </p>
  );
}
