import { memo } from 'react';
import { problemFrom } from '../../../api/problem.ts';
import type { Output } from '../../../live/use-log.ts';
import { countText, durationText, usdText } from '../../../model/format.ts';
import { toolMs, type Entry, type Transcript } from '../../../model/transcript.ts';
import { S } from '../../../strings.ts';
import { Follow } from '../../../ui/follow.tsx';
import { Glyph } from '../../../ui/glyph.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';
import './live-view.css';

/** What the agent says and does, as it happens. */
export function LiveView({ output }: { readonly output: Output }) {
  const { transcript, phase, error } = output;
  return (
    <>
      {error !== undefined && <ProblemNote problem={problemFrom(error)} />}
      <Follow version={transcript} label={S.inspector.tabs.live}>
        <ol className="live-list">
          {transcript.entries.map((entry, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- entries are only added at the end
            <EntryRow key={index} entry={entry} />
          ))}
        </ol>
        {transcript.entries.length === 0 && phase !== 'loading' && (
          <p className="pane-note">{S.inspector.noOutput}</p>
        )}
      </Follow>
      <SessionLine transcript={transcript} />
    </>
  );
}

function SessionLine({ transcript }: { readonly transcript: Transcript }) {
  const { session, usage, skipped } = transcript;
  const parts = [
    session?.model,
    usage === undefined
      ? undefined
      : `${countText(usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens)} tokens in`,
    usage === undefined ? undefined : `${countText(usage.output_tokens)} out`,
    usage?.usd === undefined ? undefined : usdText(usage.usd),
    skipped === 0 ? undefined : `${skipped} lines not understood; see Log`,
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return null;
  return <p className="live-session">{parts.join(' · ')}</p>;
}

const EntryRow = memo(function EntryRow({ entry }: { readonly entry: Entry }) {
  switch (entry.kind) {
    case 'message':
      return <li className={nested('live-message', entry.event.parent)}>{entry.event.text}</li>;
    case 'thinking':
      return (
        <li className={nested('live-thinking', entry.event.parent)}>
          <details>
            <summary>
              {S.inspector.thinking}{' '}
              <span className="ellipsis">{entry.event.text.split('\n')[0]}</span>
            </summary>
            <p>{entry.event.text}</p>
          </details>
        </li>
      );
    case 'tool':
      return <ToolCard entry={entry} />;
    case 'denied':
      return (
        <li className="live-notice tone-red">
          <Glyph name="key" />
          <span>
            {entry.event.tool} {entry.event.target}: {entry.event.reason}
          </span>
        </li>
      );
    case 'notice':
      return (
        <li
          className={`live-notice tone-${{ info: 'neutral', warning: 'amber', error: 'red' }[entry.level]}`}
        >
          <Glyph name="dashed" />
          <span>{entry.text}</span>
        </li>
      );
    case 'outcome':
      return (
        <li className={`live-outcome ${entry.event.status === 'ok' ? 'tone-blue' : 'tone-red'}`}>
          <Glyph name={entry.event.status === 'ok' ? 'check' : 'cross'} />
          <span>{entry.event.summary === '' ? entry.event.exit_reason : entry.event.summary}</span>
        </li>
      );
  }
});

function nested(className: string, parent: string | undefined): string {
  return parent === undefined ? className : `${className} live-nested`;
}

function toolFacts(exit: number | undefined, ms: number | undefined): string {
  const parts = [
    exit === undefined || exit === 0 ? undefined : `exit ${exit}`,
    ms === undefined ? undefined : ms < 1_000 ? `${ms} ms` : durationText(ms),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

function ToolCard({ entry }: { readonly entry: Extract<Entry, { kind: 'tool' }> }) {
  const { call, result } = entry;
  const ms = toolMs(entry);
  const tone = result === undefined ? 'tone-green' : result.ok ? 'tone-neutral' : 'tone-red';
  const exit = result?.exit_code;
  return (
    <li className={nested('live-tool', call.parent)}>
      <details className={tone}>
        <summary>
          <Glyph name={result === undefined ? 'disc' : result.ok ? 'check' : 'cross'} />
          <span className="tool-name">{call.name}</span>
          <span className="tool-target mono ellipsis" title={call.target}>
            {call.target}
          </span>
          <span className="tool-facts">{toolFacts(exit, ms)}</span>
        </summary>
        <pre>{JSON.stringify(call.input, null, 2)}</pre>
        {result !== undefined && result.output !== '' && <pre>{result.output}</pre>}
      </details>
    </li>
  );
}
