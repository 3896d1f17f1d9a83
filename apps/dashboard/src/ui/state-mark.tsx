import { useNow } from '../live/clock.ts';
import type { Look } from '../model/states.ts';
import { Glyph } from './glyph.tsx';
import './state-mark.css';

/** How long news of something running pulses. */
const NEWS_MS = 30_000;

interface StateMarkProps {
  readonly look: Look;
  readonly word: string;
  /** When it last changed: what runs and is fresh pulses. */
  readonly changedAt?: string | undefined;
  readonly hideWord?: boolean;
  readonly chip?: boolean;
}

/** A state by glyph, word and colour. */
export function StateMark({
  look,
  word,
  changedAt,
  hideWord = false,
  chip = false,
}: StateMarkProps) {
  return (
    <span className={`state tone-${look.tone}${chip ? ' state-chip' : ''}`}>
      {changedAt !== undefined && look.glyph === 'disc' ? (
        <Pulse changedAt={changedAt}>
          <Glyph name={look.glyph} />
        </Pulse>
      ) : (
        <Glyph name={look.glyph} />
      )}
      <span className={hideWord ? 'sr-only' : look.struck ? 'state-word struck' : 'state-word'}>
        {word}
      </span>
    </span>
  );
}

interface PulseProps {
  readonly changedAt: string;
  readonly children: React.ReactNode;
}

function Pulse({ changedAt, children }: PulseProps) {
  const fresh = useNow() - Date.parse(changedAt) < NEWS_MS;
  return <span className={fresh ? 'pulse pulse-fresh' : 'pulse'}>{children}</span>;
}
