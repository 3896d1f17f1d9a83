import type { Checkpoint, CheckpointResolve } from '@baton/contract';
import { useId, useState } from 'react';
import type { ShownProblem } from '../model/shown-problem.ts';
import { useNow } from '../live/clock.ts';
import { relativeText } from '../model/format.ts';
import { S } from '../strings.ts';
import { Button } from './button.tsx';
import { ProblemNote } from './problem-note.tsx';
import './answer-box.css';

interface AnswerBoxProps {
  readonly checkpoint: Checkpoint;
  readonly busy: boolean;
  readonly problem: ShownProblem | undefined;
  readonly why: string | undefined;
  readonly onDecide: (decision: CheckpointResolve) => void;
}

/** Everything needed to decide a checkpoint: its options, a free answer, or approve and reject. */
export function AnswerBox(props: AnswerBoxProps) {
  const { checkpoint, problem } = props;
  const isApproval = checkpoint.kind !== 'question' && checkpoint.options.includes('approve');
  return (
    <div className="answer">
      {isApproval ? <Approval {...props} /> : <Question {...props} />}
      <Deadline checkpoint={checkpoint} />
      {problem !== undefined && <ProblemNote problem={problem} />}
    </div>
  );
}

function Question({ checkpoint, busy, why, onDecide }: AnswerBoxProps) {
  const [text, setText] = useState('');
  const field = useId();
  return (
    <>
      {checkpoint.options.length > 0 && (
        <div className="answer-options">
          {checkpoint.options.map((option) => (
            <Button
              key={option}
              why={why}
              busy={busy}
              look={option === checkpoint.default_option ? 'primary' : 'plain'}
              onClick={() => onDecide({ option })}
            >
              {option}
            </Button>
          ))}
        </div>
      )}
      {checkpoint.freeform && (
        <form
          className="answer-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== '' && why === undefined && !busy) onDecide({ text: text.trim() });
          }}
        >
          <label className="sr-only" htmlFor={field}>
            {S.answer.label}
          </label>
          <input
            id={field}
            value={text}
            placeholder={S.answer.placeholder}
            onChange={(event) => setText(event.target.value)}
          />
          <Button type="submit" why={why} busy={busy}>
            {busy ? S.answer.sending : S.action.answer}
          </Button>
        </form>
      )}
    </>
  );
}

function Approval({ checkpoint, busy, why, onDecide }: AnswerBoxProps) {
  const [reason, setReason] = useState('');
  const field = useId();
  const given = reason.trim();
  return (
    <div className="answer-form">
      <Button
        look="primary"
        why={why}
        busy={busy}
        onClick={() => onDecide({ option: 'approve', ...(given === '' ? {} : { reason: given }) })}
      >
        {S.action.approve}
      </Button>
      {checkpoint.options.includes('reject') && (
        <Button
          look="danger"
          why={why}
          busy={busy}
          onClick={() =>
            onDecide({ option: 'reject', reason: given === '' ? S.answer.rejectedReason : given })
          }
        >
          {S.action.reject}
        </Button>
      )}
      <label className="sr-only" htmlFor={field}>
        {S.answer.reasonPlaceholder}
      </label>
      <input
        id={field}
        value={reason}
        maxLength={2_000}
        placeholder={S.answer.reasonPlaceholder}
        onChange={(event) => setReason(event.target.value)}
      />
    </div>
  );
}

function Deadline({ checkpoint }: { readonly checkpoint: Checkpoint }) {
  const now = useNow();
  if (checkpoint.timeout_at === null) return null;
  const when = relativeText(Date.parse(checkpoint.timeout_at), now);
  const option = checkpoint.default_option;
  const text =
    checkpoint.on_timeout === 'use_default' && option !== null
      ? S.answer.timeoutDefault(option, when)
      : checkpoint.on_timeout === 'fail'
        ? S.answer.timeoutFail(when)
        : S.answer.timeoutWait(when);
  return <p className="answer-deadline">{text}</p>;
}
