import type { ReviewAction, Task } from '@baton/contract';
import { useState } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { useReviewTask } from '../../queries/tasks.ts';
import { S } from '../../strings.ts';
import { Confirm } from '../../ui/confirm.tsx';

interface ReviewDialogProps {
  readonly task: Task;
  readonly onClose: () => void;
}

/** Takes a person's word on finished work. */
export function ReviewDialog({ task, onClose }: ReviewDialogProps) {
  const review = useReviewTask();
  const [action, setAction] = useState<ReviewAction>('approve');
  const wasReviewed = task.review.state !== 'none';
  const actions: readonly ReviewAction[] = [
    'approve',
    'request_changes',
    'reject',
    ...(wasReviewed ? (['reset'] as const) : []),
  ];
  return (
    <Confirm
      title={S.inspector.reviewTitle}
      loss={S.inspector.reviewLoss}
      action={S.action.review}
      busy={review.isPending}
      problem={review.isError ? problemFrom(review.error) : undefined}
      onClose={onClose}
      onConfirm={(reason) =>
        review.mutate({ task: task.id, run: task.run, action, reason }, { onSuccess: onClose })
      }
    >
      <div className="choices">
        {actions.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name="review"
              checked={action === choice}
              onChange={() => setAction(choice)}
            />
            {S.inspector.reviewActions[choice]}
          </label>
        ))}
      </div>
    </Confirm>
  );
}

/** What a reviewer said; nothing while nobody has. */
export function ReviewNote({ task }: { readonly task: Task }) {
  const { state, by, note } = task.review;
  if (state === 'none') return null;
  const said = S.inspector.reviewedBy(S.inspector.reviewStates[state], by ?? '');
  return <p className="inspector-sentence">{note === null ? said : `${said}: ${note}`}</p>;
}
