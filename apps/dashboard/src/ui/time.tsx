import { useNow } from '../live/clock.ts';
import { absoluteText, clockText, durationText, relativeText } from '../model/format.ts';

/** A time as told from now, in full on hover. */
export function TimeAgo({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={absoluteText(at)} className="nowrap">
      {relativeText(Date.parse(at), now)}
    </time>
  );
}

/** A time of day, in full on hover. */
export function ClockTime({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={absoluteText(at)} className="nowrap">
      {clockText(at)}
    </time>
  );
}

interface ElapsedProps {
  readonly from: string | null;
  /** null while it goes on. */
  readonly to: string | null;
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: ElapsedProps) {
  return from === null ? null : to === null ? (
    <Ticking from={from} />
  ) : (
    <Span from={from} to={to} />
  );
}

function Ticking({ from }: { readonly from: string }) {
  const text = durationText(useNow() - Date.parse(from));
  return (
    <span className="nowrap num" title={absoluteText(from)}>
      {text}
    </span>
  );
}

function Span({ from, to }: { readonly from: string; readonly to: string }) {
  return (
    <span className="nowrap num" title={`${absoluteText(from)} – ${absoluteText(to)}`}>
      {durationText(Date.parse(to) - Date.parse(from))}
    </span>
  );
}
