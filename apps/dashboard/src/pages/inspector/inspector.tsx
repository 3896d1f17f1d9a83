import type { RunGraph, Task } from '@baton/contract';
import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useNow } from '../../live/clock.ts';
import { shortId } from '../../model/format.ts';
import { taskSentence } from '../../model/sentences.ts';
import { TASK_LOOK } from '../../model/states.ts';
import { paths, TASK_VIEWS, type RunSearch, type TaskView } from '../../paths.ts';
import { useOpenCheckpoints, type InboxItem } from '../../queries/checkpoints.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Copy } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { RoleChip } from '../../ui/role-chip.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { TabLinks } from '../../ui/tab-links.tsx';
import { CheckpointCallout } from '../checkpoint-callout.tsx';
import { isTyping } from '../frame/use-keys.ts';
import { useGo } from '../go.ts';
import { InspectorBody } from './inspector-body.tsx';
import { ResizeHandle, useInspectorWidth } from './resize.tsx';
import { ReviewNote } from './review-dialog.tsx';
import { TaskActions } from './task-actions.tsx';
import './inspector.css';

interface InspectorProps {
  readonly graph: RunGraph;
  readonly taskId: string;
  readonly search: RunSearch;
}

/** One task in full, beside the run it belongs to. */
export function Inspector({ graph, taskId, search }: InspectorProps) {
  const go = useGo();
  const pane = useRef<HTMLElement>(null);
  const [width, setWidth] = useInspectorWidth();
  const task = graph.tasks.find(({ id }) => id === taskId);
  const close = (): void => go(paths.run(graph.run.id, { tab: search.tab }));
  useEscape(close);
  useEffect(() => {
    // A sheet over the whole screen takes the focus; beside a list it leaves it to j and k.
    if (window.matchMedia('(width <= 900px)').matches) pane.current?.focus({ preventScroll: true });
  }, []);
  return (
    <aside
      ref={pane}
      className="inspector"
      aria-label={S.inspector.label}
      tabIndex={-1}
      style={{ width }}
    >
      <ResizeHandle width={width} onResize={setWidth} />
      {task === undefined ? (
        <Empty title={S.inspector.notFound}>
          <Copy text={taskId} />
          <Button onClick={close}>{S.action.close}</Button>
        </Empty>
      ) : (
        <Content graph={graph} task={task} search={search} onClose={close} />
      )}
    </aside>
  );
}

interface ContentProps {
  readonly graph: RunGraph;
  readonly task: Task;
  readonly search: RunSearch;
  readonly onClose: () => void;
}

function Content({ graph, task, search, onClose }: ContentProps) {
  // As it was when the task was opened: a change of status must not turn the page over.
  const [firstView] = useState(() => fittingView(task));
  const view = search.view ?? firstView;
  const checkpoint = useOpenCheckpoints(graph.run.id).find((item) => item.task === task.id);
  return (
    <>
      <header className="inspector-head">
        <div className="inspector-title">
          <h2>{task.title === '' ? task.key : task.title}</h2>
          <Button look="bare" label={S.action.close} onClick={onClose}>
            <X size={16} aria-hidden />
          </Button>
        </div>
        <div className="inspector-facts">
          <StateMark
            chip
            look={TASK_LOOK[task.status]}
            word={S.taskStatus[task.status]}
            changedAt={task.updated_at}
          />
          <RoleChip role={task.spec.role} />
          <Copy text={task.key} label="key" />
          <Copy text={task.id} shown={shortId(task.id)} label="id" />
        </div>
        <TaskSentence graph={graph} task={task} checkpoint={checkpoint} />
        {checkpoint !== undefined && (
          <CheckpointCallout key={checkpoint.id} checkpoint={checkpoint} />
        )}
        <ReviewNote task={task} />
        <TaskActions graph={graph} task={task} />
      </header>
      <TabLinks
        label={S.inspector.label}
        current={view}
        tabs={TASK_VIEWS.map((id) => ({
          id,
          name: S.inspector.tabs[id],
          href: paths.run(graph.run.id, { ...search, view: id }),
          count: id === 'attempts' && task.attempt_count > 1 ? task.attempt_count : undefined,
        }))}
      />
      <InspectorBody graph={graph} task={task} search={search} view={view} />
    </>
  );
}

interface TaskSentenceProps {
  readonly graph: RunGraph;
  readonly task: Task;
  readonly checkpoint: InboxItem | undefined;
}

function TaskSentence({ graph, task, checkpoint }: TaskSentenceProps) {
  const nowMs = useNow();
  const { tasks, dependencies: edges } = graph;
  return (
    <p className="inspector-sentence">{taskSentence(task, { tasks, edges, checkpoint, nowMs })}</p>
  );
}

/** What somebody who opens a task in this status wants to see. */
function fittingView(task: Task): TaskView {
  if (task.attempt === null) return 'why';
  if (task.status === 'completed') return 'result';
  return task.spec.kind === 'command' || task.spec.needs.engine === 'shell' ? 'log' : 'live';
}

function useEscape(close: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (isTyping(event)) (event.target as HTMLElement).blur();
      else close();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [close]);
}
