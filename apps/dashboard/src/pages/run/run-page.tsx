import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import type { RunGraph } from '@baton/contract';
import { problemFrom } from '../../api/problem.ts';
import { paths, RUN_TABS, type RunSearch, type RunTab } from '../../paths.ts';
import { useRunGraph } from '../../queries/runs.ts';
import { S } from '../../strings.ts';
import { Empty, Skeleton } from '../../ui/empty.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { TabLinks } from '../../ui/tab-links.tsx';
import { isTyping } from '../frame/use-keys.ts';
import { useGo } from '../go.ts';
import { Inspector } from '../inspector/inspector.tsx';
import { RunEvents } from './run-events.tsx';
import { RunHeader } from './run-header.tsx';
import { RunTasks } from './run-tasks.tsx';
import './run.css';

const GraphView = lazy(() =>
  import('./graph/graph-view.tsx').then((module) => ({ default: module.GraphView })),
);

interface RunPageProps {
  readonly runId: string;
  readonly search: RunSearch;
}

/** One run: its head, one of its views, and the task that is looked at. */
export function RunPage({ runId, search }: RunPageProps) {
  const graph = useRunGraph(runId);
  const isNarrow = useIsNarrow();
  const tab = search.tab ?? (isNarrow ? 'tasks' : 'graph');
  const data = graph.data;
  useRunKeys(runId, search);
  useEffect(() => {
    document.title = `${data?.run.goal.slice(0, 60) ?? S.rooms.runs} – ${S.product}`;
  }, [data?.run.goal]);
  if (data === undefined) {
    return graph.isError ? (
      <RunProblem error={graph.error} onRetry={() => void graph.refetch()} />
    ) : (
      <Skeleton rows={5} height={64} />
    );
  }
  return (
    <div className="run-split">
      <div className="run-main">
        <RunHeader graph={data} />
        <RunTabs runId={runId} search={search} tab={tab} tasks={data.tasks.length} />
        <div className="run-view">
          <RunView tab={tab} graph={data} search={search} />
        </div>
      </div>
      {search.task !== undefined && (
        <Inspector key={search.task} graph={data} taskId={search.task} search={search} />
      )}
    </div>
  );
}

interface RunViewProps {
  readonly tab: RunTab;
  readonly graph: RunGraph;
  readonly search: RunSearch;
}

function RunView({ tab, graph, search }: RunViewProps) {
  if (tab === 'tasks') return <RunTasks graph={graph} search={search} />;
  if (tab === 'events') return <RunEvents graph={graph} search={search} />;
  return (
    <Suspense fallback={<Skeleton rows={0} />}>
      <GraphView graph={graph} search={search} />
    </Suspense>
  );
}

interface RunTabsProps {
  readonly runId: string;
  readonly search: RunSearch;
  readonly tab: RunTab;
  readonly tasks: number;
}

function RunTabs({ runId, search, tab, tasks }: RunTabsProps) {
  return (
    <TabLinks
      label={S.rooms.runs}
      current={tab}
      tabs={RUN_TABS.map((id) => ({
        id,
        name: S.run.tabs[id],
        href: paths.run(runId, { ...search, tab: id }),
        count: id === 'tasks' ? tasks : undefined,
      }))}
    />
  );
}

function RunProblem({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const problem = problemFrom(error);
  if (problem.code !== 'not_found') {
    return (
      <div className="room-note">
        <ProblemNote problem={problem} onRetry={onRetry} />
      </div>
    );
  }
  return (
    <Empty title={S.run.notFound}>
      <p>{problem.text}</p>
      <a href={paths.runs()}>{S.runs.clear}</a>
    </Empty>
  );
}

/** `1`, `2`, `3` change the view. */
function useRunKeys(runId: string, search: RunSearch): void {
  const go = useGo();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (
        event.defaultPrevented ||
        isTyping(event) ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return;
      const tab = RUN_TABS[Number(event.key) - 1];
      if (tab !== undefined) go(paths.run(runId, { ...search, tab }), { replace: true });
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [runId, search, go]);
}

const narrow = window.matchMedia('(width <= 640px)');

function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      narrow.addEventListener('change', listener);
      return () => narrow.removeEventListener('change', listener);
    },
    () => narrow.matches,
  );
}
