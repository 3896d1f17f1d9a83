import type { RunGraph, Task } from '@baton/contract';
import { useNow } from '../../live/clock.ts';
import { usdText } from '../../model/format.ts';
import { taskSentence } from '../../model/sentences.ts';
import { TASK_LOOK } from '../../model/states.ts';
import { paths, type RunSearch } from '../../paths.ts';
import { useOpenCheckpoints } from '../../queries/checkpoints.ts';
import { S } from '../../strings.ts';
import { RoleChip } from '../../ui/role-chip.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { Elapsed } from '../../ui/time.tsx';

interface RunTasksProps {
  readonly graph: RunGraph;
  readonly search: RunSearch;
}

/** The tasks of a run as rows, in the order of its plan. */
export function RunTasks({ graph, search }: RunTasksProps) {
  const checkpoints = useOpenCheckpoints(graph.run.id);
  const now = useNow();
  return (
    <ul className="task-list">
      {graph.tasks.map((task) => {
        const checkpoint = checkpoints.find((item) => item.task === task.id);
        return (
          <TaskRow
            key={task.id}
            task={task}
            href={paths.run(graph.run.id, {
              ...search,
              tab: 'tasks',
              task: task.id,
              view: undefined,
              attempt: undefined,
            })}
            isOpen={search.task === task.id}
            sentence={taskSentence(task, {
              tasks: graph.tasks,
              edges: graph.dependencies,
              checkpoint,
              nowMs: now,
            })}
          />
        );
      })}
    </ul>
  );
}

interface TaskRowProps {
  readonly task: Task;
  readonly href: string;
  readonly isOpen: boolean;
  readonly sentence: string;
}

function TaskRow({ task, href, isOpen, sentence }: TaskRowProps) {
  return (
    <li className={isOpen ? 'task-row task-open' : 'task-row'} data-row>
      <span className="task-state">
        <StateMark
          look={TASK_LOOK[task.status]}
          word={S.taskStatus[task.status]}
          changedAt={task.updated_at}
        />
      </span>
      <span className="task-name">
        <a href={href} aria-current={isOpen ? 'true' : undefined}>
          {task.title === '' ? task.key : task.title}
        </a>
        <RoleChip role={task.spec.role} />
      </span>
      <span className="task-sentence ellipsis" title={sentence}>
        {sentence}
      </span>
      <span className="task-who ellipsis">{task.worker_name ?? S.none}</span>
      <span className="task-number">
        <Elapsed from={task.started_at} to={task.ended_at} />
      </span>
      <span className="task-number">{usdText(task.usd)}</span>
    </li>
  );
}
