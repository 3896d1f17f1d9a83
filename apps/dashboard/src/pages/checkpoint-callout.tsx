import { useState } from 'react';
import { problemFrom } from '../api/problem.ts';
import { whyNotDecide } from '../model/actions.ts';
import { paths } from '../paths.ts';
import { useDecide, type InboxItem } from '../queries/checkpoints.ts';
import { useScopes } from '../queries/session.ts';
import { S } from '../strings.ts';
import { AnswerBox } from '../ui/answer-box.tsx';
import { Glyph } from '../ui/glyph.tsx';
import { TimeAgo } from '../ui/time.tsx';
import './checkpoint-callout.css';

interface CheckpointCalloutProps {
  readonly checkpoint: InboxItem;
  /** Names the task, with a link to it. */
  readonly showTask?: boolean;
}

/** A question where it came up, with everything needed to answer it on the spot. */
export function CheckpointCallout({ checkpoint, showTask = false }: CheckpointCalloutProps) {
  const decide = useDecide();
  const why = whyNotDecide(useScopes());
  const [sent, setSent] = useState(false);
  const isApproval = checkpoint.kind === 'dispatch_approval' || checkpoint.kind === 'plan_approval';
  return (
    <section
      className={`callout ${isApproval ? 'tone-amber' : 'tone-purple'}`}
      aria-label={checkpoint.question}
    >
      <span className="callout-glyph">
        <Glyph name={isApproval ? 'key' : 'hand'} />
      </span>
      <div className="callout-body">
        <p className="callout-head">
          {showTask && checkpoint.task !== null && (
            <a href={paths.run(checkpoint.run, { task: checkpoint.task })}>
              {checkpoint.task_key ?? checkpoint.task}
            </a>
          )}{' '}
          {S.checkpointKind[checkpoint.kind]} · <TimeAgo at={checkpoint.opened_at} />
          {checkpoint.holds_up > 0 && ` · ${S.inbox.holdsUp(checkpoint.holds_up)}`}
        </p>
        <p className="callout-question">{checkpoint.question}</p>
        <Facts context={checkpoint.context} />
        <AnswerBox
          checkpoint={checkpoint}
          busy={decide.isPending || (sent && decide.isSuccess)}
          problem={decide.isError ? problemFrom(decide.error) : undefined}
          why={why}
          onDecide={(decision) => {
            setSent(true);
            decide.mutate({ checkpoint: checkpoint.id, run: checkpoint.run, decision });
          }}
        />
      </div>
    </section>
  );
}

function isFlat(
  context: InboxItem['context'],
): context is Record<string, string | number | boolean> {
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return false;
  return Object.values(context).every((value) => typeof value !== 'object');
}

/** What the asker gave along, whole and as it is. */
function Facts({ context }: { readonly context: InboxItem['context'] }) {
  if (context === null || context === '') return null;
  if (isFlat(context)) {
    return (
      <dl className="callout-facts">
        {Object.entries(context).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    );
  }
  return (
    <pre className="callout-facts">
      {typeof context === 'string' ? context : JSON.stringify(context, null, 2)}
    </pre>
  );
}
