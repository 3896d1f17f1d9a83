import type { Attempt, Task } from '@baton/contract';
import { problemFrom } from '../../../api/problem.ts';
import { countText, shortId, usdText } from '../../../model/format.ts';
import { ATTEMPT_LOOK } from '../../../model/states.ts';
import { paths, type RunSearch } from '../../../paths.ts';
import { useAttempts } from '../../../queries/tasks.ts';
import { S } from '../../../strings.ts';
import { Copy } from '../../../ui/copy.tsx';
import { Skeleton } from '../../../ui/empty.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';
import { StateMark } from '../../../ui/state-mark.tsx';
import { Elapsed, TimeAgo } from '../../../ui/time.tsx';

interface AttemptsViewProps {
  readonly task: Task;
  readonly search: RunSearch;
}

/** Every execution of a task, newest first. */
export function AttemptsView({ task, search }: AttemptsViewProps) {
  const attempts = useAttempts(task.id);
  if (attempts.isError) {
    return (
      <ProblemNote problem={problemFrom(attempts.error)} onRetry={() => void attempts.refetch()} />
    );
  }
  if (attempts.data === undefined) return <Skeleton rows={3} />;
  if (attempts.data.items.length === 0) return <p className="pane-note">{S.inspector.noAttempt}</p>;
  return (
    <ol className="pane">
      {attempts.data.items.map((attempt) => (
        <AttemptRow
          key={attempt.id}
          attempt={attempt}
          href={paths.run(task.run, { ...search, view: 'log', attempt: attempt.id })}
        />
      ))}
    </ol>
  );
}

function AttemptRow({ attempt, href }: { readonly attempt: Attempt; readonly href: string }) {
  const { usage } = attempt;
  const tokens = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  const facts = [
    `${attempt.worker_name} · ${attempt.engine}`,
    usage.usd === undefined ? undefined : usdText(usage.usd),
    tokens + usage.output_tokens === 0
      ? undefined
      : `${countText(tokens)} tokens in, ${countText(usage.output_tokens)} out`,
    attempt.exit_code === null ? undefined : `exit ${attempt.exit_code}`,
  ].filter((fact) => fact !== undefined);
  return (
    <li className="part attempt" data-row>
      <p className="attempt-head">
        <StateMark look={ATTEMPT_LOOK[attempt.status]} word={S.attemptStatus[attempt.status]} />
        <span>{S.inspector.attemptOf(attempt.number)}</span>
        <Copy text={attempt.id} shown={shortId(attempt.id)} label="attempt" />
        <span className="attempt-time muted">
          <TimeAgo at={attempt.claimed_at} /> ·{' '}
          <Elapsed from={attempt.started_at} to={attempt.ended_at} />
        </span>
      </p>
      <p className="muted">{facts.join(' · ')}</p>
      {attempt.reason !== null && (
        <p className={attempt.failure_class === null ? undefined : 'tone-red ink'}>
          {attempt.failure_class !== null && <code>{attempt.failure_class}</code>} {attempt.reason}
        </p>
      )}
      <a href={href}>{S.inspector.showLog}</a>
    </li>
  );
}
