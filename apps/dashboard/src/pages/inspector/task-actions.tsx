import { isTerminalTask, type RunGraph, type Task } from '@baton/contract';
import { useState } from 'react';
import { problemFrom } from '../../api/problem.ts';
import {
  downstreamOf,
  lossOfCancellingTask,
  lossOfPausingTask,
  lossOfRelaunching,
  lossOfRetrying,
  whyNotCancelTask,
  whyNotPauseTask,
  whyNotRelaunchTask,
  whyNotResumeTask,
  whyNotRetryTask,
  whyNotReviewTask,
} from '../../model/actions.ts';
import { useScopes } from '../../queries/session.ts';
import {
  useCancelTask,
  usePauseTask,
  useRelaunchTask,
  useResumeTask,
  useRetryTask,
} from '../../queries/tasks.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { ReviewDialog } from './review-dialog.tsx';

interface TaskActionsProps {
  readonly graph: RunGraph;
  readonly task: Task;
}

/** What can be done with a task; what cannot says why. */
export function TaskActions({ graph, task }: TaskActionsProps) {
  const [open, setOpen] = useState<'cancel' | 'retry' | 'relaunch' | 'pause' | 'review'>();
  const scopes = useScopes();
  const close = (): void => setOpen(undefined);
  return (
    <div className="inspector-actions">
      <Button
        look={task.status === 'failed' ? 'primary' : 'plain'}
        why={whyNotRetryTask(task, scopes)}
        onClick={() => setOpen('retry')}
      >
        {S.action.retryTask}
      </Button>
      <Button why={whyNotRelaunchTask(task, graph.run, scopes)} onClick={() => setOpen('relaunch')}>
        {S.action.relaunchTask}
      </Button>
      <Button why={whyNotReviewTask(task, scopes)} onClick={() => setOpen('review')}>
        {S.action.review}
      </Button>
      {task.status === 'paused' ? (
        <Resume graph={graph} task={task} />
      ) : (
        <Button why={whyNotPauseTask(task, scopes)} onClick={() => setOpen('pause')}>
          {S.action.pause}
        </Button>
      )}
      <Button look="danger" why={whyNotCancelTask(task, scopes)} onClick={() => setOpen('cancel')}>
        {S.action.cancelTask}
      </Button>
      {open === 'cancel' && <CancelDialog graph={graph} task={task} onClose={close} />}
      {(open === 'retry' || open === 'relaunch') && (
        <AgainDialog how={open} graph={graph} task={task} onClose={close} />
      )}
      {open === 'pause' && <PauseDialog task={task} onClose={close} />}
      {open === 'review' && <ReviewDialog task={task} onClose={close} />}
    </div>
  );
}

interface DialogProps extends TaskActionsProps {
  readonly onClose: () => void;
}

function CancelDialog({ graph, task, onClose }: DialogProps) {
  const cancel = useCancelTask();
  return (
    <Confirm
      danger
      title={S.inspector.cancelTitle}
      loss={lossOfCancellingTask(task, graph.tasks, graph.dependencies)}
      action={S.action.cancelTask}
      busy={cancel.isPending}
      problem={cancel.isError ? problemFrom(cancel.error) : undefined}
      onClose={onClose}
      onConfirm={(reason) =>
        cancel.mutate({ task: task.id, run: task.run, reason }, { onSuccess: onClose })
      }
    />
  );
}

function Resume({ graph, task }: TaskActionsProps) {
  const resume = useResumeTask();
  const why = whyNotResumeTask(graph.run, useScopes());
  return (
    <>
      <Button
        look="primary"
        why={why}
        busy={resume.isPending}
        onClick={() => resume.mutate({ task: task.id, run: task.run })}
      >
        {S.action.resume}
      </Button>
      {resume.isError && <ProblemNote problem={problemFrom(resume.error)} />}
    </>
  );
}

function PauseDialog({ task, onClose }: Omit<DialogProps, 'graph'>) {
  const pause = usePauseTask();
  return (
    <Confirm
      title={S.inspector.pauseTitle}
      loss={lossOfPausingTask(task)}
      action={S.action.pause}
      busy={pause.isPending}
      problem={pause.isError ? problemFrom(pause.error) : undefined}
      onClose={onClose}
      onConfirm={(reason) =>
        pause.mutate({ task: task.id, run: task.run, reason }, { onSuccess: onClose })
      }
    />
  );
}

interface AgainProps extends DialogProps {
  readonly how: 'retry' | 'relaunch';
}

function AgainDialog({ how, graph, task, onClose }: AgainProps) {
  const retry = useRetryTask();
  const relaunch = useRelaunchTask();
  const again = how === 'retry' ? retry : relaunch;
  const [downstream, setDownstream] = useState<'keep' | 'reset'>('keep');
  const { tasks, dependencies } = graph;
  const later = downstreamOf(task.id, tasks, dependencies).some(({ status }) =>
    isTerminalTask(status),
  );
  return (
    <Confirm
      title={how === 'retry' ? S.inspector.retryTitle : S.inspector.relaunchTitle}
      loss={(how === 'retry' ? lossOfRetrying : lossOfRelaunching)(task, tasks, dependencies)}
      action={how === 'retry' ? S.action.retryTask : S.action.relaunchTask}
      busy={again.isPending}
      problem={again.isError ? problemFrom(again.error) : undefined}
      onClose={onClose}
      onConfirm={(reason) =>
        again.mutate({ task: task.id, run: task.run, reason, downstream }, { onSuccess: onClose })
      }
    >
      {later && (
        <div className="choices">
          {(['keep', 'reset'] as const).map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="downstream"
                checked={downstream === choice}
                onChange={() => setDownstream(choice)}
              />
              {choice === 'keep' ? S.inspector.keepDownstream : S.inspector.resetDownstream}
            </label>
          ))}
        </div>
      )}
    </Confirm>
  );
}
