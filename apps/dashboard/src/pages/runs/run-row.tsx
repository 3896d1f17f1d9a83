import type { Run } from '@baton/contract';
import { useNow } from '../../live/clock.ts';
import { shortId, usdText } from '../../model/format.ts';
import { progressOf } from '../../model/progress.ts';
import { runSentence } from '../../model/sentences.ts';
import { RUN_LOOK } from '../../model/states.ts';
import { paths } from '../../paths.ts';
import type { InboxItem } from '../../queries/checkpoints.ts';
import { S } from '../../strings.ts';
import { Copy } from '../../ui/copy.tsx';
import { Meter } from '../../ui/meter.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { TimeAgo } from '../../ui/time.tsx';
import { CheckpointCallout } from '../checkpoint-callout.tsx';

interface RunRowProps {
  readonly run: Run;
  readonly questions: readonly InboxItem[];
}

const QUESTIONS_SHOWN_MAX = 3;

/** A run in the list: what it is for, how far it is, what it costs, and what it asks. */
export function RunRow({ run, questions }: RunRowProps) {
  const progress = progressOf(run.tasks_by_status, run.task_count);
  return (
    <li className="run-item" data-row>
      <div className="run-row">
        <span className="run-state">
          <StateMark
            look={RUN_LOOK[run.status]}
            word={S.runStatus[run.status]}
            changedAt={run.updated_at}
          />
        </span>
        <span className="run-goal">
          <a className="run-link" href={paths.run(run.id)}>
            {run.goal === '' ? run.id : run.goal}
          </a>
          <span className="run-sub">
            <Copy text={run.id} shown={shortId(run.id)} />
            <Sentence run={run} />
          </span>
        </span>
        <span className="run-progress">
          <Meter progress={progress} />
          <span className="run-count">
            {progress.done}/{progress.total}
          </span>
        </span>
        <span className="run-agents">
          {progress.working > 0 ? S.runs.agents(progress.working) : ''}
        </span>
        <span className="run-cost">{usdText(run.usd)}</span>
        <span className="run-updated">
          <TimeAgo at={run.updated_at} />
        </span>
      </div>
      {questions.slice(0, QUESTIONS_SHOWN_MAX).map((question) => (
        <CheckpointCallout key={question.id} checkpoint={question} showTask />
      ))}
    </li>
  );
}

function Sentence({ run }: { readonly run: Run }) {
  return <span className="ellipsis">{runSentence(run, useNow())}</span>;
}
