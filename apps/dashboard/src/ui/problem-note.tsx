import { TriangleAlert } from 'lucide-react';
import type { ShownProblem } from '../model/shown-problem.ts';
import { S } from '../strings.ts';
import { Button } from './button.tsx';
import './problem-note.css';

interface ProblemNoteProps {
  readonly problem: ShownProblem;
  readonly onRetry?: (() => void) | undefined;
}

/** An error where the action was: what happened, its code, and the way out. */
export function ProblemNote({ problem, onRetry }: ProblemNoteProps) {
  return (
    <div className="problem tone-red" role="alert">
      <TriangleAlert size={14} aria-hidden />
      <div className="problem-text">
        <p>{problem.text}</p>
        {problem.violations.length > 0 && (
          <ul>
            {problem.violations.map((violation) => (
              <li key={violation}>{violation}</li>
            ))}
          </ul>
        )}
        {problem.code === 'control_plane_unreachable' && <p>{S.problem.unreachable}</p>}
        <p className="problem-code">
          <code>{problem.code}</code>
        </p>
      </div>
      {onRetry !== undefined && <Button onClick={onRetry}>{S.action.tryAgain}</Button>}
    </div>
  );
}
