import { TASK_LOOK } from '../model/states.ts';
import type { Progress } from '../model/progress.ts';
import { S } from '../strings.ts';
import './meter.css';

/** Progress as stretches in the colours of the states; the finished ones come first. */
export function Meter({ progress }: { readonly progress: Progress }) {
  const told = progress.segments.map(({ status, count }) => `${count} ${S.taskStatus[status]}`);
  return (
    <>
      <span className="meter" title={told.join(', ')} aria-hidden>
        {progress.segments.map(({ status, count }) => (
          <span
            key={status}
            className={`meter-part tone-${TASK_LOOK[status].tone} meter-${status}`}
            style={{ flexGrow: count }}
          />
        ))}
      </span>
      <span className="sr-only">
        {S.runs.progress(progress.done, progress.total)}: {told.join(', ')}
      </span>
    </>
  );
}
