import type { Candidate, RunGraph, Task } from '@baton/contract';
import { problemFrom } from '../../../api/problem.ts';
import { TASK_LOOK } from '../../../model/states.ts';
import { paths, type RunSearch } from '../../../paths.ts';
import { useExplanation } from '../../../queries/tasks.ts';
import { S } from '../../../strings.ts';
import { Skeleton } from '../../../ui/empty.tsx';
import { Glyph } from '../../../ui/glyph.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';
import { StateMark } from '../../../ui/state-mark.tsx';

interface WhyViewProps {
  readonly graph: RunGraph;
  readonly task: Task;
  readonly search: RunSearch;
}

/** Why a task is where it is, what would change that, and which workers may take it. */
export function WhyView({ graph, task, search }: WhyViewProps) {
  const why = useExplanation(task.id);
  if (why.isError) {
    return <ProblemNote problem={problemFrom(why.error)} onRetry={() => void why.refetch()} />;
  }
  if (why.data === undefined) return <Skeleton rows={4} />;
  const { sentence, next, waits_for: waits, holds, candidates, winner, facts } = why.data;
  const others = holds.filter(({ kind }) => kind !== 'dependency');
  return (
    <div className="pane">
      <section className="part">
        <p className="summary">{sentence}</p>
        {next !== null && <p className="muted">{next}</p>}
      </section>
      {waits.length > 0 && (
        <section className="part">
          <h3>{S.why.waitsFor}</h3>
          <ul>
            {waits.map((wait) => (
              <li key={`${wait.task} ${wait.type}`} className="why-wait">
                <StateMark look={TASK_LOOK[wait.status]} word={S.taskStatus[wait.status]} />
                <a href={paths.run(graph.run.id, { tab: search.tab, task: wait.task })}>
                  {wait.key}
                </a>
                <span className="muted">{wait.type}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {others.length > 0 && (
        <section className="part">
          <h3>{S.why.holds}</h3>
          <ul>
            {others.map((hold) => (
              <li key={`${hold.kind} ${hold.what}`}>
                {hold.what} <span className="muted">{hold.by.join(', ')}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {candidates.length > 0 && (
        <section className="part">
          <h3>{S.why.workers}</h3>
          <ul>
            {candidates.map((candidate) => (
              <CandidateRow
                key={candidate.worker}
                candidate={candidate}
                isWinner={candidate.name === winner}
              />
            ))}
          </ul>
        </section>
      )}
      {Object.keys(facts).length > 0 && (
        <details className="fold">
          <summary>{S.why.facts}</summary>
          <pre className="value">{JSON.stringify(facts, null, 2)}</pre>
        </details>
      )}
    </div>
  );
}

interface CandidateRowProps {
  readonly candidate: Candidate;
  readonly isWinner: boolean;
}

function CandidateRow({ candidate, isWinner }: CandidateRowProps) {
  const { name, eligible, score, parts, disqualified } = candidate;
  const told = eligible
    ? Object.entries(parts)
        .filter(([, points]) => points !== 0)
        .map(([part, points]) => `${part.replaceAll('_', ' ')} ${points}`)
        .join(' + ')
    : disqualified.join('; ');
  return (
    <li className={`candidate ${eligible ? 'tone-blue' : 'tone-neutral'}`}>
      <Glyph name={eligible ? 'check' : 'slash'} />
      <span className="candidate-name">{name}</span>
      {score !== null && <span className="candidate-score">{score}</span>}
      {isWinner && <span className="candidate-winner">{S.why.winner}</span>}
      <span className="candidate-why muted">{told}</span>
    </li>
  );
}
