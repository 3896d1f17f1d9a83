import { isTerminalTask, type RunGraph, type Task } from '@baton/contract';
import { useState } from 'react';
import { problemFrom } from '../../api/problem.ts';
import {
  downstreamOf,
  lossOfCancellingTask,
  lossOfRetrying,
  whyNotCancelTask,
  whyNotRetryTask,
} from '../../model/actions.ts';
import { useScopes } from '../../queries/session.ts';
import { useCancelTask, useRetryTask } from '../../queries/tasks.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';

interface TaskActionsProps {
  readonly graph: RunGraph;
  readonly task: Task;
}

/** What can be done with a task; what cannot says why. */
export function TaskActions({ graph, task }: TaskActionsProps) {
  const [open, setOpen] = useState<'cancel' | 'retry'>();
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
      <Button look="danger" why={whyNotCancelTask(task, scopes)} onClick={() => setOpen('cancel')}>
        {S.action.cancelTask}
      </Button>
      {open === 'cancel' && <CancelDialog graph={graph} task={task} onClose={close} />}
      {open === 'retry' && <RetryDialog graph={graph} task={task} onClose={close} />}
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

function RetryDialog({ graph, task, onClose }: DialogProps) {
  const retry = useRetryTask();
  const [downstream, setDownstream] = useState<'keep' | 'reset'>('keep');
  const { tasks, dependencies } = graph;
  const later = downstreamOf(task.id, tasks, dependencies).some(({ status }) =>
    isTerminalTask(status),
  );
  return (
    <Confirm
      title={S.inspector.retryTitle}
      loss={lossOfRetrying(task, tasks, dependencies)}
      action={S.action.retryTask}
      busy={retry.isPending}
      problem={retry.isError ? problemFrom(retry.error) : undefined}
      onClose={onClose}
      onConfirm={(reason) =>
        retry.mutate({ task: task.id, run: task.run, reason, downstream }, { onSuccess: onClose })
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
