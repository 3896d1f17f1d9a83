import { memo } from 'react';
import { problemFrom } from '../../../api/problem.ts';
import type { Output } from '../../../live/use-log.ts';
import type { LogLine } from '../../../model/log-text.ts';
import { S } from '../../../strings.ts';
import { Follow } from '../../../ui/follow.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';
import './log-view.css';

/** Lines per block: a block that has not changed is not drawn again, and not at all out of sight. */
const BLOCK = 250;

/** Plain output from its start, live. */
export function LogView({ output, taskId }: { readonly output: Output; readonly taskId: string }) {
  const { lines, dropped, phase, error } = output;
  const blocks = Array.from({ length: Math.ceil(lines.length / BLOCK) }, (_, index) => index);
  return (
    <>
      {error !== undefined && <ProblemNote problem={problemFrom(error)} />}
      <Follow version={lines} label={S.inspector.tabs.log}>
        <div className="log">
          {dropped > 0 && (
            <p className="log-note">
              {S.inspector.logCut(dropped)} <code>baton task logs {taskId}</code>
            </p>
          )}
          {blocks.map((index) => {
            const block = lines.slice(index * BLOCK, (index + 1) * BLOCK);
            return (
              <Block key={index} lines={block} isFull={block.length === BLOCK} shift={dropped} />
            );
          })}
          <LogEnd phase={phase} isEmpty={lines.length === 0} />
        </div>
      </Follow>
    </>
  );
}

interface BlockProps {
  readonly lines: readonly LogLine[];
  readonly isFull: boolean;
  readonly shift: number;
}

const Block = memo(
  function Block({ lines }: BlockProps) {
    return (
      <pre className="log-block">
        {lines.map((line, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- lines never move inside their block
          <span key={index} className={`log-line log-${line.stream}`}>
            {line.text === '' ? ' ' : line.text}
          </span>
        ))}
      </pre>
    );
  },
  (a, b) =>
    a.shift === b.shift &&
    a.isFull === b.isFull &&
    a.lines.length === b.lines.length &&
    a.lines.at(-1)?.text === b.lines.at(-1)?.text,
);

function LogEnd({
  phase,
  isEmpty,
}: {
  readonly phase: Output['phase'];
  readonly isEmpty: boolean;
}) {
  if (phase === 'ended') {
    return <p className="log-note">{isEmpty ? S.inspector.noOutput : S.inspector.logEnded}</p>;
  }
  if (phase === 'broken') return <p className="log-note">{S.frame.reconnecting}</p>;
  if (phase === 'live' && isEmpty) return <p className="log-note">{S.inspector.noOutput}</p>;
  return null;
}
